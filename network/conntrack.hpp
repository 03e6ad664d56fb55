// Tracked connections. Address translation is decided by a flow's first packet: a UDP client that
// sent before its port was published, or keeps sending after it moved, is led astray until the
// kernel forgets the flow.
#pragma once

#include <cstdint>
#include <set>

namespace network {

/// Makes the kernel forget the UDP flows, of both families, that were sent to one of these ports,
/// in the calling thread's namespace.
void forget_udp_flows(const std::set<std::uint16_t>& destination_ports);

}  // namespace network
