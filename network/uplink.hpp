// The veth pair that joins a stack's namespace to the host, the calling thread's namespace.
#pragma once

#include <string>
#include <vector>

#include "network/netlink.hpp"
#include "network/record.hpp"
#include "network/route.hpp"

namespace network {

/// What of the host's address space is in use, by its routes (its own addresses are among them) and
/// its name servers. Default routes and those wider than /8 do not count: tunnels push them.
struct HostSpace {
  std::vector<Subnet> occupied;  ///< reached without a gateway: sharing it would break something
  std::vector<Subnet> avoided;   ///< all, `occupied` included
};
/// `ignored_interface` is the index of a device whose routes do not count; 0: none.
HostSpace host_space(const std::vector<Route>& routes, const std::vector<IpAddress>& name_servers,
                     int ignored_interface);
/// The `nameserver` addresses of a resolv.conf(5).
std::vector<IpAddress> name_servers_in(const std::string& resolv_conf);

/// The MTU of the device that the host's best default route leaves by; 1500 without one.
int default_route_mtu(NetlinkSocket& host, const std::vector<Route>& routes);

/// Whether the namespace of the calling thread has IPv6 turned on.
bool has_ipv6();

/// Chooses device name and addresses for a project's uplink. `seed` is unique to it.
UplinkRecord choose_uplink(NetlinkSocket& host, const std::string& seed);

/// Makes what is missing of the uplink: the pair, addresses, routes, sysctls on both sides,
/// forwarding on the host.
void create_uplink(NetlinkSocket& host, NetlinkSocket& stack, int stack_netns,
                   const UplinkRecord& uplink);

/// Lets the host forward IPv6 and keeps it listening to router advertisements on the interfaces
/// that it has routes from, as it otherwise ignores them once it forwards.
void forward_ipv6_on_host(NetlinkSocket& host);

}  // namespace network
