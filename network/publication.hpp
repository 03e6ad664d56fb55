// From ports to publish to what is bound on the host and recorded.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "network/port.hpp"
#include "network/record.hpp"

namespace network {

/// An endpoint that ports are published to, and the uplink on the way.
struct PublicationTarget {
  std::string owner;
  std::optional<IpAddress> ipv4, ipv6;
  UplinkRecord uplink;
};

/// Where a port is to be bound: an absent host address means every address of the host, IPv6 among
/// them when `host_has_ipv6`. A firewall leads what is reserved to the target, a relay the rest.
std::vector<PortAddress> port_addresses(const PublishSpec& spec, const PublicationTarget& target,
                                        bool host_has_ipv6);

/// A port of the stack's uplink for the protocol that no publication uses: `preferred` if free.
std::uint16_t choose_transit(const std::vector<PublicationRecord>& publications,
                             const std::string& protocol, std::uint16_t preferred);

/// Binds all the ports, or none, and says what is to be recorded beside the existing
/// `publications`.
std::pair<Published, std::vector<PublicationRecord>> bind_publications(
    const std::vector<PublishSpec>& specs, const PublicationTarget& target, bool host_has_ipv6,
    std::vector<PublicationRecord> publications);

/// Takes publications out of `publications` that are the owner's.
std::vector<PublicationRecord> extract_publications(std::vector<PublicationRecord>& publications,
                                                    const std::string& owner);
/// Takes those out that hold a port which one of `fresh`, whose sockets are bound, has now: their
/// holder is gone without a word.
std::vector<PublicationRecord> extract_stale(std::vector<PublicationRecord>& publications,
                                             const std::vector<PublicationRecord>& fresh);

/// One of the ports (published, transit, target) of each publication over UDP.
std::set<std::uint16_t> udp_ports(const std::vector<PublicationRecord>& publications,
                                  std::uint16_t PublicationRecord::*port);

}  // namespace network
