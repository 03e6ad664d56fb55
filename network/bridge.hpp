// A Linux bridge, one per network, inside the stack's namespace.
#pragma once

#include <string>
#include <vector>

#include "network/netlink.hpp"
#include "network/subnet.hpp"

namespace network {

/// What a bridge is to be. Its MAC address comes from its name: one that is not set changes with
/// the ports (kernel: br_stp_recalculate_bridge_id), and neighbours lose the gateway.
struct Bridge {
  std::string name;
  int mtu = 1500;
  /// The gateway's addresses, each with the prefix length of its subnet.
  std::vector<std::pair<IpAddress, int>> gateways;
};

/// Creates the bridges that are missing and brings all of them up with their addresses, in two
/// batches whatever their number. The calling thread is in the namespace of `socket`.
void create_bridges(NetlinkSocket& socket, const std::vector<Bridge>& bridges);

}  // namespace network
