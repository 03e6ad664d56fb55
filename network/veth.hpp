// Virtual Ethernet pairs (veth(4)): an endpoint's interface with its port on the bridge, and the
// uplink.
#pragma once

#include <string>

#include "network/netlink.hpp"

namespace network {

struct VethPair {
  std::string name;      ///< this end, in the socket's namespace
  int bridge_index = 0;  ///< the bridge that this end is a port of; 0: none
  std::string peer;      ///< the other end's name
  std::string peer_mac;  ///< "" lets the kernel choose
  int peer_netns = -1;   ///< the namespace that the other end is born in
  int mtu = 1500;
};

/// Creates both ends, down. EXFULL when the bridge has no port left.
NetlinkMessage create_veth(const VethPair& pair);
/// Brings a bridge's port up, with hairpin (an endpoint may reach itself by its published port);
/// an `isolated` port exchanges frames with the bridge itself alone.
NetlinkMessage bring_port_up(const std::string& name, bool isolated);

}  // namespace network
