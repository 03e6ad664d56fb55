// Which subnets and addresses to take: first free of Docker's pools, lowest free address. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "network/ip_address.hpp"
#include "network/subnet.hpp"

namespace network {

/// The pools that Docker takes bridge networks from, in its order: 172.18.0.0/16 to 172.31.0.0/16,
/// then 192.168.0.0/16 in /20. (172.17.0.0/16 is left to a default bridge.)
std::vector<Subnet> bridge_candidates();

/// The first bridge candidate that overlaps neither `own` (never allowed) nor `avoided`; when all
/// overlap something avoided, the first that overlaps nothing of `own` and `occupied` (a subset of
/// what is avoided that must not be shared). Nothing when there is none.
std::optional<Subnet> choose_bridge_subnet(const std::vector<Subnet>& own,
                                           const std::vector<Subnet>& occupied,
                                           const std::vector<Subnet>& avoided);

/// The first /30 of 100.64.0.0/10, then of 10.213.0.0/16 and 192.168.240.0/20, that overlaps
/// nothing of `avoided`.
std::optional<Subnet> choose_uplink_subnet(const std::vector<Subnet>& avoided);

/// A unique local /48 (RFC 4193) whose global id comes from `seed`.
Subnet unique_local_prefix(const std::string& seed);
/// The first /64 of `prefix` past its 0th, which is the uplink's, that overlaps nothing of `taken`.
std::optional<Subnet> choose_unique_local_subnet(const Subnet& prefix,
                                                 const std::vector<Subnet>& taken);

/// A subnet of one network and what of it may be handed out.
struct AddressRange {
  Subnet subnet;
  Subnet range;                  ///< inside `subnet`
  std::set<IpAddress> reserved;  ///< gateway and auxiliary addresses
  /// Whether `address` may be an endpoint's: inside the subnet, not its first or (IPv4) last
  /// address, not reserved. Subnets of two addresses or one keep both.
  bool is_usable(const IpAddress& address) const;
  /// The lowest usable address of the range that is not in `taken`; nothing when all are.
  std::optional<IpAddress> lowest_free(const std::set<IpAddress>& taken) const;
};

/// The first usable host address, by custom the gateway.
IpAddress first_host(const Subnet& subnet);

}  // namespace network
