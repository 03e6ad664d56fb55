#include "network/bridge.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>

#include "network/device_name.hpp"
#include "network/link.hpp"
#include "network/route.hpp"
#include "network/sysctl.hpp"

namespace network {

namespace {

std::array<std::uint8_t, 6> bridge_mac(const std::string& name) {
  const std::uint64_t hash = stable_hash(name);
  std::array<std::uint8_t, 6> mac{};
  for (std::size_t i = 0; i < mac.size(); ++i) {
    mac[i] = static_cast<std::uint8_t>(hash >> (i * 8) & 0xff);
  }
  mac[0] = static_cast<std::uint8_t>((mac[0] & 0xfcU) | 0x02U);
  return mac;
}

NetlinkMessage create_bridge(const Bridge& bridge) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
                         "create bridge '" + bridge.name + "'");
  const std::array<std::uint8_t, 6> mac = bridge_mac(bridge.name);
  message.header(ifinfomsg{})
      .put_string(IFLA_IFNAME, bridge.name)
      .put_u32(IFLA_MTU, static_cast<std::uint32_t>(bridge.mtu))
      .put(IFLA_ADDRESS, mac.data(), mac.size())
      .nest(IFLA_LINKINFO,
            [](NetlinkMessage& info) {
              info.put_string(IFLA_INFO_KIND, "bridge");
              info.nest(IFLA_INFO_DATA,
                        [](NetlinkMessage& data) { data.put_u32(IFLA_BR_STP_STATE, 0); });
            })
      .tolerate(EEXIST);
  return message;
}

}  // namespace

void create_bridges(NetlinkSocket& socket, const std::vector<Bridge>& bridges) {
  std::vector<NetlinkMessage> creations;
  for (const Bridge& bridge : bridges) creations.push_back(create_bridge(bridge));
  socket.request(std::move(creations));

  std::vector<NetlinkMessage> settings;
  for (const Bridge& bridge : bridges) {
    const int index = link_index(socket, bridge.name);
    const bool v6 = std::any_of(bridge.gateways.begin(), bridge.gateways.end(),
                                [](const auto& gateway) { return !gateway.first.is_v4(); });
    set_sysctl_if_present("net/ipv6/conf/" + bridge.name + "/disable_ipv6", v6 ? "0" : "1");
    set_sysctl_if_present("net/ipv6/conf/" + bridge.name + "/accept_ra", "0");
    // A program inside the stack's namespace reaches published ports at 127.0.0.1.
    set_sysctl("net/ipv4/conf/" + bridge.name + "/route_localnet", "1");
    settings.push_back(without_link_local(bridge.name));
    if (v6) settings.push_back(add_link_local(index, 1, bridge.name));
    for (const auto& [address, prefix] : bridge.gateways) {
      settings.push_back(add_address(index, address, prefix, bridge.name));
    }
    settings.push_back(bring_link_up(index, bridge.name));
  }
  socket.request(std::move(settings));
}

}  // namespace network
