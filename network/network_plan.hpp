// From what a network is to be to what it is: checked, subnets and gateways chosen. Pure.
#pragma once

#include <vector>

#include "network/address_pool.hpp"
#include "network/record.hpp"
#include "network/uplink.hpp"

namespace network {

/// What the choice of subnets depends on.
struct PlanContext {
  std::string project;
  HostSpace host;
  Subnet unique_local;  ///< the project's /48
  int default_mtu = 1500;
};

/// The records of `wanted` in their order, given the networks that stay. Subnets that are asked for
/// come before those that are chosen. Throws os::Error naming the network: malformed or overlapping
/// subnet, gateway or range outside of it, no free subnet, bad device name or MTU.
std::vector<NetworkRecord> plan_networks(const std::vector<NetworkSpec>& wanted,
                                         const std::vector<NetworkRecord>& existing,
                                         const PlanContext& context);

/// What the network may hand out of a family's subnet; nothing when it has none.
std::optional<AddressRange> address_range(const NetworkRecord& network, bool v4);

/// The pool that names a subnet of the family; null when the network chose it itself.
const Pool* configured_pool(const NetworkSpec& spec, bool v4);

}  // namespace network
