#include "network/link.hpp"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <sys/random.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <thread>

#include "runtime/os/error.hpp"

namespace network {

namespace {

Link parse_link(nlmsghdr& header) {
  const ifinfomsg& info = *static_cast<ifinfomsg*>(NLMSG_DATA(&header));
  Link link;
  link.index = info.ifi_index;
  link.up = (info.ifi_flags & IFF_UP) != 0;
  std::array<nlattr*, IFLA_MAX + 1> attributes{};
  ::nlmsg_parse(&header, sizeof(ifinfomsg), attributes.data(), IFLA_MAX, nullptr);
  if (nlattr* const name = attributes[IFLA_IFNAME]) link.name = ::nla_get_string(name);
  if (nlattr* const mtu = attributes[IFLA_MTU]) link.mtu = static_cast<int>(::nla_get_u32(mtu));
  const nlattr* const state = attributes[IFLA_OPERSTATE];
  const int operstate = state == nullptr ? int{IF_OPER_UNKNOWN} : int{::nla_get_u8(state)};
  link.operational = operstate == IF_OPER_UP || operstate == IF_OPER_UNKNOWN;
  if (nlattr* const details = attributes[IFLA_LINKINFO]) {
    if (nlattr* const kind = ::nla_find(static_cast<nlattr*>(::nla_data(details)),
                                        ::nla_len(details), IFLA_INFO_KIND)) {
      link.kind = ::nla_get_string(kind);
    }
  }
  return link;
}

std::optional<Link> get_link(NetlinkSocket& socket, NetlinkMessage message) {
  std::optional<Link> link;
  socket.get(std::move(message), [&](nlmsghdr& header) { link = parse_link(header); });
  return link;
}

}  // namespace

std::optional<Link> find_link(NetlinkSocket& socket, const std::string& name) {
  NetlinkMessage message(RTM_GETLINK, 0, "look for device '" + name + "'");
  message.header(ifinfomsg{}).put_string(IFLA_IFNAME, name);
  return get_link(socket, std::move(message));
}

std::optional<Link> find_link(NetlinkSocket& socket, int index) {
  NetlinkMessage message(RTM_GETLINK, 0, "look for device " + std::to_string(index));
  ifinfomsg info{};
  info.ifi_index = index;
  message.header(info);
  return get_link(socket, std::move(message));
}

int link_index(NetlinkSocket& socket, const std::string& name) {
  const std::optional<Link> link = find_link(socket, name);
  if (!link) throw os::Error(ENODEV, "look for device '" + name + "'");
  return link->index;
}

NetlinkMessage bring_link_up(int index, const std::string& name) {
  NetlinkMessage message(RTM_NEWLINK, 0, "bring '" + name + "' up");
  ifinfomsg info{};
  info.ifi_index = index;
  info.ifi_flags = IFF_UP;
  info.ifi_change = IFF_UP;
  message.header(info);
  return message;
}

void await_operational(NetlinkSocket& socket, const std::string& name) {
  constexpr int kTries = 100;
  for (int tried = 0; tried < kTries; ++tried) {
    // Since Linux 6.9 the question itself makes the link watch run.
    const std::optional<Link> link = find_link(socket, name);
    if (!link || link->operational) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

NetlinkMessage delete_link(const std::string& name) {
  NetlinkMessage message(RTM_DELLINK, 0, "delete device '" + name + "'");
  message.header(ifinfomsg{}).put_string(IFLA_IFNAME, name).tolerate(ENODEV);
  return message;
}

NetlinkMessage without_link_local(const std::string& name) {
  NetlinkMessage message(RTM_NEWLINK, 0, "keep '" + name + "' without a link-local address");
  message.header(ifinfomsg{}).put_string(IFLA_IFNAME, name);
  message.nest(IFLA_AF_SPEC, [](NetlinkMessage& families) {
    families.nest(AF_INET6, [](NetlinkMessage& inet6) {
      inet6.put_u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    });
  });
  // The kernel has no IPv6, or none on this device: then there is nothing to keep from it.
  message.tolerate(EAFNOSUPPORT);
  return message;
}

std::optional<std::array<std::uint8_t, 6>> parse_mac(const std::string& text) {
  std::array<std::uint8_t, 6> mac{};
  if (text.size() != 17) return std::nullopt;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    unsigned value = 0;
    for (std::size_t k = i * 3; k < i * 3 + 2; ++k) {
      const char c = text[k];
      const bool digit = c >= '0' && c <= '9';
      const char lower = static_cast<char>(c | 0x20);
      if (!digit && (lower < 'a' || lower > 'f')) return std::nullopt;
      value = value * 16 + static_cast<unsigned>(digit ? c - '0' : lower - 'a' + 10);
    }
    if (i < 5 && text[i * 3 + 2] != ':' && text[i * 3 + 2] != '-') return std::nullopt;
    mac[i] = static_cast<std::uint8_t>(value);
  }
  return mac;
}

std::string random_mac() {
  std::array<std::uint8_t, 6> mac{};
  os::check(::getrandom(mac.data(), mac.size(), 0), [] { return std::string("get random bytes"); });
  mac[0] = static_cast<std::uint8_t>((mac[0] & 0xfcU) | 0x02U);
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                mac[3], mac[4], mac[5]);
  return text.data();
}

}  // namespace network
