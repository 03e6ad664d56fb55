// Other programs' firewalls on the host. A packet must be accepted by every chain at a hook, so a
// FORWARD chain with policy drop (Docker's, ufw's) cuts stacks off whatever our own table says. The
// remedy: two rules of ours at the end of that chain, marked by a comment, that accept what enters
// or leaves by an uplink. At the end, not in DOCKER-USER: that one runs first and would let stacks
// into Docker's networks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace network {

/// What there is in a FORWARD chain, from the JSON that lists it.
struct ForwardChain {
  bool drops = false;               ///< its policy is drop
  std::vector<std::uint64_t> ours;  ///< handles of our rules in it
};
/// Pure. An empty or strange text is a chain that does nothing.
ForwardChain parse_forward_chain(const std::string& json);

/// Adds the rules where they are needed and missing, for IPv4 and IPv6, in the calling thread's
/// namespace. Needs the lock of the networks directory. Chains of iptables-legacy are not seen.
void admit_stacks_to_foreign_firewall();
/// Removes them when `project` is the last one in the directory of all networks.
void dismiss_stacks_from_foreign_firewall(const std::string& networks_dir,
                                          const std::string& project);

}  // namespace network
