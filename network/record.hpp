// What a stack's network consists of, as it is written to disk: enough to find, finish or undo all
// of it after a crash, and to rebuild the firewall from. Pure but for load and save.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "network/ip_address.hpp"
#include "network/network.hpp"
#include "network/subnet.hpp"

namespace network {

/// The veth pair between the host and the stack.
struct UplinkRecord {
  std::string device;             ///< the host's end
  Subnet subnet4;                 ///< a /30
  std::optional<Subnet> subnet6;  ///< a /126; absent where the host has no IPv6
  int mtu = 1500;

  IpAddress host4() const { return subnet4.base().plus(1); }
  IpAddress stack4() const { return subnet4.base().plus(2); }
  std::optional<IpAddress> host6() const;
  std::optional<IpAddress> stack6() const;
  bool operator==(const UplinkRecord&) const = default;
};

struct NetworkRecord {
  NetworkSpec spec;
  std::string bridge;
  int mtu = 1500;
  std::optional<Subnet> subnet4, subnet6;
  std::optional<IpAddress> gateway4, gateway6;
  bool route4 = false, route6 = false;  ///< the host has a route to the subnet

  std::vector<Subnet> subnets() const;
  bool operator==(const NetworkRecord&) const = default;
};

struct LeaseRecord {
  std::string owner, network, interface, mac;
  std::optional<IpAddress> ipv4, ipv6;
  bool default_route = false;
  bool no_default_route = false;
  std::vector<IpAddress> link_local;
  std::map<std::string, std::string> sysctls;
  bool operator==(const LeaseRecord&) const = default;
};

/// One published port at one address of the host, on its way HOST_IP:PUBLISHED on the host →
/// uplink:TRANSIT in the stack → to4 or to6:TARGET.
struct PublicationRecord {
  std::string owner, protocol;
  IpAddress host_ip;
  std::uint16_t published = 0, transit = 0, target = 0;
  std::optional<IpAddress> to4, to6;
  bool operator==(const PublicationRecord&) const = default;
};

struct Record {
  std::string project;
  std::optional<UplinkRecord> uplink;
  std::vector<NetworkRecord> networks;
  std::vector<LeaseRecord> leases;
  std::vector<PublicationRecord> publications;

  NetworkRecord* find_network(const std::string& name);
  LeaseRecord* find_lease(const std::string& owner, const std::string& network);
  bool operator==(const Record&) const = default;
};

nlohmann::json spec_to_json(const NetworkSpec& spec);
/// Throws nlohmann::json::exception on anything that spec_to_json() does not write.
NetworkSpec spec_from_json(const nlohmann::json& value);

nlohmann::json to_json(const Record& record);
/// Throws os::Error on anything that to_json() does not write.
Record record_from_json(const nlohmann::json& json);

/// Nothing when there is no file. Throws os::Error that names it when it cannot be understood.
std::optional<Record> load_record(const std::string& path);
void save_record(const std::string& path, const Record& record);

}  // namespace network
