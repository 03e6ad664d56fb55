#include "network/lease.hpp"

#include <algorithm>
#include <set>

#include "network/device_name.hpp"
#include "network/link.hpp"
#include "network/network_plan.hpp"
#include "runtime/os/error.hpp"

namespace network {

namespace {

const std::optional<IpAddress>& address_of(const LeaseRecord& lease, bool v4) {
  return v4 ? lease.ipv4 : lease.ipv6;
}

/// The addresses that others than `owner` have on the network.
std::set<IpAddress> taken_addresses(const Record& record, const std::string& owner,
                                    const std::string& network, bool v4) {
  std::set<IpAddress> taken;
  for (const LeaseRecord& lease : record.leases) {
    const std::optional<IpAddress>& address = address_of(lease, v4);
    if (lease.network == network && lease.owner != owner && address) taken.insert(*address);
  }
  return taken;
}

IpAddress fixed_address(const NetworkRecord& network, const AddressRange& range,
                        const std::string& text, const std::set<IpAddress>& taken) {
  const bool v4 = range.subnet.is_v4();
  const std::optional<IpAddress> address = IpAddress::parse(text);
  if (!address || address->is_v4() != v4) throw os::Error("invalid address '" + text + "'");
  if (configured_pool(network.spec, v4) == nullptr) {
    throw os::Error(
        "user specified IP address is supported only when connecting to networks with user "
        "configured subnets");
  }
  if (!range.subnet.contains(*address)) {
    throw os::Error("address " + text + " is not in subnet " + range.subnet.to_string());
  }
  if (!range.is_usable(*address) || taken.contains(*address)) {
    throw os::Error(EADDRINUSE, "use address " + text);
  }
  return *address;
}

/// The address that an owner gets: the fixed one, the one it has, the lowest free one.
std::optional<IpAddress> choose_address(const Record& record, const LeaseRecord& lease,
                                        const NetworkRecord& network, bool v4,
                                        const std::optional<std::string>& fixed) {
  const std::optional<AddressRange> range = address_range(network, v4);
  if (!range) {
    if (!fixed || fixed->empty()) return std::nullopt;
    throw os::Error("address " + *fixed + " given, but the network has no " +
                    (v4 ? "IPv4" : "IPv6"));
  }
  const std::set<IpAddress> taken = taken_addresses(record, lease.owner, lease.network, v4);
  if (fixed && !fixed->empty()) return fixed_address(network, *range, *fixed, taken);
  if (address_of(lease, v4)) return address_of(lease, v4);
  const std::optional<IpAddress> address = range->lowest_free(taken);
  if (!address) throw os::Error("no available addresses in " + range->range.to_string());
  return address;
}

std::string choose_mac(const LeaseRecord& lease, const std::optional<std::string>& fixed) {
  if (!fixed || fixed->empty()) return lease.mac.empty() ? random_mac() : lease.mac;
  const auto mac = parse_mac(*fixed);
  if (!mac || ((*mac)[0] & 1U) != 0) throw os::Error("invalid MAC address '" + *fixed + "'");
  return *fixed;
}

std::vector<IpAddress> parse_link_local(const std::vector<std::string>& texts) {
  std::vector<IpAddress> addresses;
  for (const std::string& text : texts) {
    const std::optional<IpAddress> address = IpAddress::parse(text);
    if (!address || !address->is_link_local()) {
      throw os::Error("invalid link-local address '" + text + "'");
    }
    addresses.push_back(*address);
  }
  return addresses;
}

/// Names that are fixed: those asked for, and those of the owner's endpoints not in the list.
std::set<std::string> fixed_interfaces(const Record& record, const std::string& owner,
                                       const std::vector<EndpointSpec>& endpoints) {
  std::set<std::string> names;
  for (const EndpointSpec& endpoint : endpoints) {
    if (endpoint.interface.empty()) continue;
    if (!is_valid_device_name(endpoint.interface) || endpoint.interface == "lo") {
      throw os::Error("invalid interface name '" + endpoint.interface + "'");
    }
    if (!names.insert(endpoint.interface).second) {
      throw os::Error("interface name '" + endpoint.interface + "' is given twice");
    }
  }
  for (const LeaseRecord& lease : record.leases) {
    const bool listed = std::any_of(endpoints.begin(), endpoints.end(), [&](const auto& endpoint) {
      return endpoint.network == lease.network;
    });
    if (lease.owner == owner && !listed) names.insert(lease.interface);
  }
  return names;
}

std::string next_interface(std::set<std::string>& taken) {
  for (int number = 0;; ++number) {
    std::string name = "eth" + std::to_string(number);
    if (taken.insert(name).second) return name;
  }
}

Address describe(const NetworkRecord& network, const LeaseRecord& lease) {
  Address address{.network = lease.network, .interface = lease.interface, .mac = lease.mac};
  if (lease.ipv4) {
    address.ipv4 = lease.ipv4->to_string();
    address.prefix4 = network.subnet4.value().prefix();
    address.gateway4 = network.gateway4.value().to_string();
  }
  if (lease.ipv6) {
    address.ipv6 = lease.ipv6->to_string();
    address.prefix6 = network.subnet6.value().prefix();
    address.gateway6 = network.gateway6.value().to_string();
  }
  return address;
}

LeaseRecord make_lease(Record& record, const std::string& owner, const NetworkRecord& network,
                       const EndpointSpec& endpoint) {
  const LeaseRecord* const existing = record.find_lease(owner, endpoint.network);
  LeaseRecord lease =
      existing ? *existing : LeaseRecord{.owner = owner, .network = endpoint.network};
  lease.ipv4 = choose_address(record, lease, network, true, endpoint.ipv4);
  lease.ipv6 = choose_address(record, lease, network, false, endpoint.ipv6);
  lease.mac = choose_mac(lease, endpoint.mac);
  lease.default_route = endpoint.default_route;
  lease.no_default_route = endpoint.no_default_route;
  lease.link_local = parse_link_local(endpoint.link_local);
  lease.sysctls = endpoint.sysctls;
  return lease;
}

}  // namespace

std::vector<Address> assign_leases(Record& record, const std::string& owner,
                                   const std::vector<EndpointSpec>& endpoints) {
  Record next = record;
  std::set<std::string> interfaces = fixed_interfaces(record, owner, endpoints);
  std::vector<Address> addresses;
  for (const EndpointSpec& endpoint : endpoints) {
    const NetworkRecord* const network = next.find_network(endpoint.network);
    if (network == nullptr) throw os::Error("network " + endpoint.network + " not found");
    try {
      LeaseRecord lease = make_lease(next, owner, *network, endpoint);
      lease.interface =
          endpoint.interface.empty() ? next_interface(interfaces) : endpoint.interface;
      addresses.push_back(describe(*network, lease));
      LeaseRecord* const existing = next.find_lease(owner, endpoint.network);
      if (existing != nullptr) {
        *existing = std::move(lease);
      } else {
        next.leases.push_back(std::move(lease));
      }
    } catch (const os::Error& error) {
      throw error.in("network '" + endpoint.network + "'");
    }
  }
  record = std::move(next);
  return addresses;
}

void drop_leases(Record& record, const std::string& owner) {
  std::erase_if(record.leases, [&](const LeaseRecord& lease) { return lease.owner == owner; });
}

const LeaseRecord* publishing_lease(Record& record, const std::string& owner) {
  const LeaseRecord* first = nullptr;
  for (const LeaseRecord& lease : record.leases) {
    if (lease.owner != owner) continue;
    const NetworkRecord* const network = record.find_network(lease.network);
    if (network == nullptr || network->spec.internal) continue;
    if (lease.default_route) return &lease;
    if (first == nullptr) first = &lease;
  }
  return first;
}

}  // namespace network
