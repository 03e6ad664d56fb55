#include "network/record.hpp"

#include <nlohmann/json.hpp>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace network {

using nlohmann::json;

namespace {

constexpr int kVersion = 1;

template <class Value>
json text_or_null(const std::optional<Value>& value) {
  return value ? json(value->to_string()) : json(nullptr);
}

template <class Value>
std::optional<Value> parsed(const json& value) {
  if (value.is_null()) return std::nullopt;
  const std::string text = value.get<std::string>();
  std::optional<Value> result = Value::parse(text);
  if (!result) throw os::Error("'" + text + "' is no address");
  return result;
}

template <class Value>
Value required(const json& value) {
  std::optional<Value> result = parsed<Value>(value);
  if (!result) throw os::Error("an address is missing");
  return *result;
}

json pool_to_json(const Pool& pool) {
  return {{"subnet", pool.subnet},
          {"gateway", pool.gateway},
          {"ip_range", pool.ip_range},
          {"aux_addresses", pool.aux_addresses}};
}

Pool pool_from_json(const json& value) {
  return {.subnet = value.at("subnet"),
          .gateway = value.at("gateway"),
          .ip_range = value.at("ip_range"),
          .aux_addresses = value.at("aux_addresses")};
}

json network_to_json(const NetworkRecord& network) {
  return {{"spec", spec_to_json(network.spec)},
          {"bridge", network.bridge},
          {"mtu", network.mtu},
          {"subnet4", text_or_null(network.subnet4)},
          {"subnet6", text_or_null(network.subnet6)},
          {"gateway4", text_or_null(network.gateway4)},
          {"gateway6", text_or_null(network.gateway6)},
          {"route4", network.route4},
          {"route6", network.route6}};
}

NetworkRecord network_from_json(const json& value) {
  NetworkRecord network;
  network.spec = spec_from_json(value.at("spec"));
  network.bridge = value.at("bridge");
  network.mtu = value.at("mtu");
  network.subnet4 = parsed<Subnet>(value.at("subnet4"));
  network.subnet6 = parsed<Subnet>(value.at("subnet6"));
  network.gateway4 = parsed<IpAddress>(value.at("gateway4"));
  network.gateway6 = parsed<IpAddress>(value.at("gateway6"));
  network.route4 = value.at("route4");
  network.route6 = value.at("route6");
  return network;
}

json lease_to_json(const LeaseRecord& lease) {
  json link_local = json::array();
  for (const IpAddress& address : lease.link_local) link_local.push_back(address.to_string());
  return {{"owner", lease.owner},
          {"network", lease.network},
          {"interface", lease.interface},
          {"mac", lease.mac},
          {"ipv4", text_or_null(lease.ipv4)},
          {"ipv6", text_or_null(lease.ipv6)},
          {"default_route", lease.default_route},
          {"no_default_route", lease.no_default_route},
          {"link_local", std::move(link_local)},
          {"sysctls", lease.sysctls}};
}

LeaseRecord lease_from_json(const json& value) {
  LeaseRecord lease;
  lease.owner = value.at("owner");
  lease.network = value.at("network");
  lease.interface = value.at("interface");
  lease.mac = value.at("mac");
  lease.ipv4 = parsed<IpAddress>(value.at("ipv4"));
  lease.ipv6 = parsed<IpAddress>(value.at("ipv6"));
  lease.default_route = value.at("default_route");
  lease.no_default_route = value.value("no_default_route", false);
  lease.sysctls = value.value("sysctls", lease.sysctls);
  for (const json& address : value.at("link_local")) {
    lease.link_local.push_back(required<IpAddress>(address));
  }
  return lease;
}

json publication_to_json(const PublicationRecord& publication) {
  return {{"owner", publication.owner},
          {"protocol", publication.protocol},
          {"host_ip", publication.host_ip.to_string()},
          {"published", publication.published},
          {"transit", publication.transit},
          {"target", publication.target},
          {"to4", text_or_null(publication.to4)},
          {"to6", text_or_null(publication.to6)}};
}

PublicationRecord publication_from_json(const json& value) {
  PublicationRecord publication;
  publication.owner = value.at("owner");
  publication.protocol = value.at("protocol");
  publication.host_ip = required<IpAddress>(value.at("host_ip"));
  publication.published = value.at("published");
  publication.transit = value.at("transit");
  publication.target = value.at("target");
  publication.to4 = parsed<IpAddress>(value.at("to4"));
  publication.to6 = parsed<IpAddress>(value.at("to6"));
  return publication;
}

json uplink_to_json(const UplinkRecord& uplink) {
  return {{"device", uplink.device},
          {"subnet4", uplink.subnet4.to_string()},
          {"subnet6", text_or_null(uplink.subnet6)},
          {"mtu", uplink.mtu}};
}

UplinkRecord uplink_from_json(const json& value) {
  return {.device = value.at("device"),
          .subnet4 = required<Subnet>(value.at("subnet4")),
          .subnet6 = parsed<Subnet>(value.at("subnet6")),
          .mtu = value.at("mtu")};
}

template <class Item, class Convert>
json array_of(const std::vector<Item>& items, Convert convert) {
  json array = json::array();
  for (const Item& item : items) array.push_back(convert(item));
  return array;
}

template <class Item, class Convert>
void fill(std::vector<Item>& items, const json& array, Convert convert) {
  for (const json& item : array) items.push_back(convert(item));
}

}  // namespace

nlohmann::json spec_to_json(const NetworkSpec& spec) {
  json pools = json::array();
  for (const Pool& pool : spec.pools) pools.push_back(pool_to_json(pool));
  return {{"name", spec.name},
          {"pools", std::move(pools)},
          {"internal", spec.internal},
          {"enable_ipv4", spec.enable_ipv4},
          {"enable_ipv6", spec.enable_ipv6},
          {"icc", spec.icc},
          {"masquerade", spec.masquerade},
          {"mtu", spec.mtu ? json(*spec.mtu) : json(nullptr)},
          {"bridge_name", spec.bridge_name}};
}

NetworkSpec spec_from_json(const json& value) {
  NetworkSpec spec;
  spec.name = value.at("name");
  for (const json& pool : value.at("pools")) spec.pools.push_back(pool_from_json(pool));
  spec.internal = value.at("internal");
  spec.enable_ipv4 = value.at("enable_ipv4");
  spec.enable_ipv6 = value.at("enable_ipv6");
  spec.icc = value.at("icc");
  spec.masquerade = value.at("masquerade");
  if (!value.at("mtu").is_null()) spec.mtu = value.at("mtu").get<int>();
  spec.bridge_name = value.at("bridge_name");
  return spec;
}

std::optional<IpAddress> UplinkRecord::host6() const {
  return subnet6 ? std::optional(subnet6->base().plus(1)) : std::nullopt;
}

std::optional<IpAddress> UplinkRecord::stack6() const {
  return subnet6 ? std::optional(subnet6->base().plus(2)) : std::nullopt;
}

std::vector<Subnet> NetworkRecord::subnets() const {
  std::vector<Subnet> result;
  if (subnet4) result.push_back(*subnet4);
  if (subnet6) result.push_back(*subnet6);
  return result;
}

NetworkRecord* Record::find_network(const std::string& name) {
  for (NetworkRecord& network : networks) {
    if (network.spec.name == name) return &network;
  }
  return nullptr;
}

LeaseRecord* Record::find_lease(const std::string& owner, const std::string& network) {
  for (LeaseRecord& lease : leases) {
    if (lease.owner == owner && lease.network == network) return &lease;
  }
  return nullptr;
}

json to_json(const Record& record) {
  return {{"version", kVersion},
          {"project", record.project},
          {"uplink", record.uplink ? uplink_to_json(*record.uplink) : json(nullptr)},
          {"networks", array_of(record.networks, network_to_json)},
          {"leases", array_of(record.leases, lease_to_json)},
          {"publications", array_of(record.publications, publication_to_json)}};
}

Record record_from_json(const json& value) {
  try {
    if (value.at("version") != kVersion) throw os::Error("a version that is not known");
    Record record;
    record.project = value.at("project");
    if (!value.at("uplink").is_null()) record.uplink = uplink_from_json(value.at("uplink"));
    fill(record.networks, value.at("networks"), network_from_json);
    fill(record.leases, value.at("leases"), lease_from_json);
    fill(record.publications, value.at("publications"), publication_from_json);
    return record;
  } catch (const json::exception& error) {
    throw os::Error(error.what());
  }
}

std::optional<Record> load_record(const std::string& path) {
  const std::optional<std::string> text = os::read_file_if_exists(path);
  if (!text) return std::nullopt;
  const json value = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) throw os::Error("read '" + path + "': not JSON");
  try {
    return record_from_json(value);
  } catch (const os::Error& error) {
    throw error.in("read '" + path + "'");
  }
}

void save_record(const std::string& path, const Record& record) {
  os::write_file_atomic(path, to_json(record).dump(1) + "\n");
}

}  // namespace network
