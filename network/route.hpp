// Addresses of devices and routes (rtnetlink(7), RTM_*ADDR, RTM_*ROUTE).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network/netlink.hpp"
#include "network/subnet.hpp"

namespace network {

/// Gives the device the address; no failure when it has it. IPv6 without duplicate address
/// detection, which would leave it unusable for a second.
NetlinkMessage add_address(int index, const IpAddress& address, int prefix,
                           const std::string& device);
/// Gives the device, which makes none itself, the link-local address fe80::HOST at once: without
/// one the kernel asks for no neighbour on behalf of packets that it forwards.
NetlinkMessage add_link_local(int index, unsigned host, const std::string& device);
/// A route to `destination` by `gateway` on the device; EEXIST when there is one already.
NetlinkMessage add_route(const Subnet& destination, const IpAddress& gateway, int index);
/// The default route of the gateway's family.
NetlinkMessage add_default_route(const IpAddress& gateway, int index);
NetlinkMessage delete_route(const Subnet& destination, const IpAddress& gateway, int index);

/// An entry of the routing tables, own addresses (type local) among them.
struct Route {
  Subnet destination;
  int interface = 0;     ///< index; 0 for multipath and blackhole routes
  bool on_link = false;  ///< reaches its destination without a gateway
  bool is_default = false;
  bool from_advertisement = false;  ///< learned from an IPv6 router (RTPROT_RA)
  std::uint32_t metric = 0;
};

/// All unicast, local and blackhole routes of both families in all tables.
std::vector<Route> list_routes(NetlinkSocket& socket);

}  // namespace network
