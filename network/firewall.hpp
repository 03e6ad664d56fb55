// The two firewalls of a stack as text for nft(8): table `inet stack` on the host, shared by all
// stacks, and table `inet stack` inside the stack's namespace. Pure. What changes with a port is an
// element of a map, so that the thousandth costs what the first did.
//
// Host: a published port leads to the stack's end of the uplink, at the publication's transit port.
// Remote clients keep their address; programs of the host appear as the host's end of the uplink,
// for 127.0.0.1 cannot leave the host. Nothing else may enter a stack from outside.
// Stack: the transit port leads to the endpoint; networks are kept apart, internal ones inside;
// what comes from the host or round a hairpin appears as the bridge's gateway.
#pragma once

#include <string>
#include <vector>

#include "network/record.hpp"

namespace network {

/// How many chains the host's table has.
inline constexpr int kHostChains = 5;

enum class Change { add, remove };

/// The name of the stack's end of the uplink.
inline constexpr const char* kUplinkInside = "uplink";

/// The whole table inside a stack, for nft_replace_table().
std::string stack_ruleset(const Record& record);
/// The whole table of the host with the elements of all these stacks, for nft_replace_table().
std::string host_ruleset(const std::vector<Record>& records);

/// What the stack's uplink and publications are in the host's table. Removing what is not there, or
/// adding what is, is no failure.
std::string host_uplink_elements(Change change, const UplinkRecord& uplink);
std::string host_port_elements(Change change, const UplinkRecord& uplink,
                               const std::vector<PublicationRecord>& publications);
/// What the publications are in the stack's table.
std::string stack_port_elements(Change change, const std::vector<PublicationRecord>& publications);

/// The number of "tcp", "udp" or "sctp"; throws os::Error for any other.
int protocol_number(const std::string& protocol);

}  // namespace network
