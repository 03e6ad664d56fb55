// Ports of the host: sockets that hold them, so that no other program takes a port that is
// published, and who holds one that cannot be had.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network/ip_address.hpp"
#include "network/network.hpp"
#include "runtime/os/fd.hpp"

namespace network {

/// What becomes of what arrives at the socket itself.
enum class PortUse {
  reserve,  ///< nothing is accepted or queued: a filter drops it (the firewall leads it elsewhere)
  relay,    ///< a relay takes it
};

/// A socket bound (tcp, sctp: and listening) to the address and port; port 0 lets the kernel choose
/// one of its ephemeral range. Nothing when the port is taken. Throws os::Error for any other
/// failure: no such address on this host, no permission.
std::optional<os::UniqueFd> bind_port(const std::string& protocol, const IpAddress& address,
                                      std::uint16_t port, PortUse use);
std::uint16_t port_of(int socket);

/// Where a port is to be bound, and for what.
struct PortAddress {
  IpAddress address;
  PortUse use = PortUse::reserve;
};

struct BoundPort {
  std::uint16_t port = 0;
  std::vector<os::UniqueFd> sockets;  ///< one per address
};

/// Binds the same port on all `addresses`: the one asked for, the first free one of a range, or
/// any. Throws os::Error(EADDRINUSE) "Bind for 0.0.0.0:80 failed: port is already allocated".
BoundPort bind_published_port(const PublishSpec& spec, const std::vector<PortAddress>& addresses);

}  // namespace network
