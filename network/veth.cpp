#include "network/veth.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include "network/link.hpp"
#include "runtime/os/error.hpp"

namespace network {

NetlinkMessage create_veth(const VethPair& pair) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
                         "create interface '" + pair.peer + "'");
  const auto mtu = static_cast<std::uint32_t>(pair.mtu);
  message.header(ifinfomsg{}).put_string(IFLA_IFNAME, pair.name).put_u32(IFLA_MTU, mtu);
  if (pair.bridge_index != 0) {
    message.put_u32(IFLA_MASTER, static_cast<std::uint32_t>(pair.bridge_index));
  }
  message.nest(IFLA_LINKINFO, [&](NetlinkMessage& info) {
    info.put_string(IFLA_INFO_KIND, "veth");
    info.nest(IFLA_INFO_DATA, [&](NetlinkMessage& data) {
      data.nest(VETH_INFO_PEER, [&](NetlinkMessage& peer) {
        peer.header(ifinfomsg{}).put_string(IFLA_IFNAME, pair.peer).put_u32(IFLA_MTU, mtu);
        peer.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(pair.peer_netns));
        if (pair.peer_mac.empty()) return;
        const auto mac = parse_mac(pair.peer_mac);
        if (!mac) throw os::Error("invalid MAC address '" + pair.peer_mac + "'");
        peer.put(IFLA_ADDRESS, mac->data(), mac->size());
      });
    });
  });
  return message;
}

NetlinkMessage bring_port_up(const std::string& name, bool isolated) {
  NetlinkMessage message(RTM_NEWLINK, 0, "bring bridge port '" + name + "' up");
  ifinfomsg info{};
  info.ifi_flags = IFF_UP;
  info.ifi_change = IFF_UP;
  message.header(info).put_string(IFLA_IFNAME, name);
  message.nest(IFLA_LINKINFO, [&](NetlinkMessage& link) {
    link.put_string(IFLA_INFO_SLAVE_KIND, "bridge");
    link.nest(IFLA_INFO_SLAVE_DATA, [&](NetlinkMessage& port) {
      port.put_u8(IFLA_BRPORT_MODE, 1);
      port.put_u8(IFLA_BRPORT_ISOLATED, isolated ? 1 : 0);
    });
  });
  return message;
}

}  // namespace network
