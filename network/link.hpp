// Requests about network devices (rtnetlink(7), RTM_*LINK): find, bring up, delete.
#pragma once

#include <optional>
#include <string>

#include "network/netlink.hpp"

namespace network {

struct Link {
  int index = 0;
  int mtu = 0;
  bool up = false;
  bool operational = false;  ///< carries packets (IF_OPER_UP), or does not say
  std::string name;
  std::string kind;  ///< "bridge", "veth", "" for hardware
};

/// The device of that name in the socket's namespace.
std::optional<Link> find_link(NetlinkSocket& socket, const std::string& name);
std::optional<Link> find_link(NetlinkSocket& socket, int index);
/// The device's index; throws os::Error(ENODEV) that names it.
int link_index(NetlinkSocket& socket, const std::string& name);

NetlinkMessage bring_link_up(int index, const std::string& name);
/// Waits, a tenth of a second at most, until the device carries packets. A veth does so only once
/// the kernel's link watch has run; a connection tried earlier loses its first packet, and a
/// second.
void await_operational(NetlinkSocket& socket, const std::string& name);
/// Deletes a device, a veth with its peer; no failure when there is none.
NetlinkMessage delete_link(const std::string& name);
/// Lets the device, not yet up, make no IPv6 link-local address of its own.
NetlinkMessage without_link_local(const std::string& name);

/// "02:42:ac:12:00:02" as six bytes; nothing when it is not that.
std::optional<std::array<std::uint8_t, 6>> parse_mac(const std::string& text);
/// A random, locally administered, unicast address as text.
std::string random_mac();

}  // namespace network
