// Who has which address on which network. Pure: works on the record alone.
#pragma once

#include <string>
#include <vector>

#include "network/record.hpp"

namespace network {

/// Leases the endpoints to `owner` in `record`, see Network::lease(). All or nothing.
std::vector<Address> assign_leases(Record& record, const std::string& owner,
                                   const std::vector<EndpointSpec>& endpoints);
/// Takes the owner's leases out of the record.
void drop_leases(Record& record, const std::string& owner);

/// Which of the owner's leases its published ports lead to: that of the default route, else the
/// first; null when all are on internal networks.
const LeaseRecord* publishing_lease(Record& record, const std::string& owner);

}  // namespace network
