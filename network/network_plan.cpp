#include "network/network_plan.hpp"

#include <set>

#include "network/device_name.hpp"
#include "runtime/os/error.hpp"

namespace network {

namespace {

constexpr int kSmallestMtu = 68;     // RFC 791
constexpr int kSmallestMtu6 = 1280;  // RFC 8200
constexpr int kLargestMtu = 65535;
constexpr int kLongestPrefix4 = 30;
constexpr int kLongestPrefix6 = 126;

Subnet parse_subnet(const std::string& text, const char* what) {
  const std::optional<Subnet> subnet = Subnet::parse(text);
  if (!subnet) throw os::Error(std::string("invalid ") + what + " '" + text + "'");
  return *subnet;
}

IpAddress parse_inside(const std::string& text, const Subnet& subnet, const char* what) {
  const std::optional<IpAddress> address = IpAddress::parse(text);
  if (!address) throw os::Error(std::string("invalid ") + what + " '" + text + "'");
  if (!subnet.contains(*address)) {
    throw os::Error(std::string(what) + " " + text + " is not in subnet " + subnet.to_string());
  }
  return *address;
}

/// As an engine has it: [A-Za-z0-9][A-Za-z0-9_.-]*. The name is part of names that DNS answers.
void check_name(const std::string& name) {
  constexpr std::string_view kAll =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  const bool well_begun =
      !name.empty() && std::string_view("_.-").find(name[0]) == std::string_view::npos;
  if (!well_begun || name.find_first_not_of(kAll) != std::string::npos)
    throw os::Error("invalid network name '" + name +
                    "': letters, digits, '_', '.' and '-', the first a letter or a digit");
}

void check_spec(const NetworkSpec& spec) {
  check_name(spec.name);
  if (!spec.bridge_name.empty() && !is_valid_device_name(spec.bridge_name)) {
    throw os::Error("invalid bridge name '" + spec.bridge_name + "'");
  }
  if (spec.bridge_name == "lo" || spec.bridge_name == "uplink") {
    throw os::Error("bridge name '" + spec.bridge_name + "' is taken");
  }
  const int smallest = spec.enable_ipv6 ? kSmallestMtu6 : kSmallestMtu;
  if (spec.mtu && (*spec.mtu < smallest || *spec.mtu > kLargestMtu)) {
    throw os::Error("invalid MTU " + std::to_string(*spec.mtu));
  }
  std::set<bool> families;
  for (const Pool& pool : spec.pools) {
    if (pool.subnet.empty()) continue;
    const Subnet subnet = parse_subnet(pool.subnet, "subnet");
    if (!families.insert(subnet.is_v4()).second) {
      throw os::Error("more than one subnet of a family: " + pool.subnet);
    }
    if (subnet.prefix() > (subnet.is_v4() ? kLongestPrefix4 : kLongestPrefix6)) {
      throw os::Error("subnet " + pool.subnet + " is too small");
    }
    if (!pool.gateway.empty()) parse_inside(pool.gateway, subnet, "gateway");
    for (const std::string& aux : pool.aux_addresses) parse_inside(aux, subnet, "aux address");
    if (!pool.ip_range.empty() && !subnet.contains(parse_subnet(pool.ip_range, "ip_range"))) {
      throw os::Error("ip_range " + pool.ip_range + " is not in subnet " + pool.subnet);
    }
  }
}

std::optional<Subnet> configured_subnet(const NetworkSpec& spec, bool v4) {
  if (!(v4 ? spec.enable_ipv4 : spec.enable_ipv6)) return std::nullopt;
  const Pool* const pool = configured_pool(spec, v4);
  return pool == nullptr ? std::nullopt : Subnet::parse(pool->subnet);
}

IpAddress choose_gateway(const NetworkSpec& spec, const Subnet& subnet) {
  const Pool* const pool = configured_pool(spec, subnet.is_v4());
  if (pool != nullptr && !pool->gateway.empty()) {
    return parse_inside(pool->gateway, subnet, "gateway");
  }
  return first_host(subnet);
}

class Planner {
 public:
  Planner(const std::vector<NetworkRecord>& existing, const PlanContext& context)
      : context_(context) {
    for (const NetworkRecord& network : existing) take(network);
  }

  NetworkRecord begin(const NetworkSpec& spec) {
    check_spec(spec);
    NetworkRecord network;
    network.spec = spec;
    network.mtu = spec.mtu.value_or(context_.default_mtu);
    network.bridge = spec.bridge_name.empty()
                         ? device_name("br-", context_.project + "\n" + spec.name)
                         : spec.bridge_name;
    if (!bridges_.insert(network.bridge).second) {
      throw os::Error("bridge name '" + network.bridge + "' is taken");
    }
    network.subnet4 = claim(configured_subnet(spec, true));
    network.subnet6 = claim(configured_subnet(spec, false));
    return network;
  }

  void finish(NetworkRecord& network) {
    if (network.spec.enable_ipv4 && !network.subnet4) {
      network.subnet4 = choose_bridge_subnet(own_, context_.host.occupied, context_.host.avoided);
      if (!network.subnet4) throw os::Error("all predefined address pools are in use");
      own_.push_back(*network.subnet4);
    }
    if (network.spec.enable_ipv6 && !network.subnet6) {
      network.subnet6 = choose_unique_local_subnet(context_.unique_local, own_);
      if (!network.subnet6) throw os::Error("no free IPv6 subnet");
      own_.push_back(*network.subnet6);
    }
    const std::vector<Subnet>& taken = context_.host.avoided;
    if (network.subnet4) {
      network.gateway4 = choose_gateway(network.spec, *network.subnet4);
      network.route4 = !network.subnet4->overlaps_any(taken);
    }
    if (network.subnet6) {
      network.gateway6 = choose_gateway(network.spec, *network.subnet6);
      network.route6 = !network.subnet6->overlaps_any(taken);
    }
  }

 private:
  void take(const NetworkRecord& network) {
    bridges_.insert(network.bridge);
    for (const Subnet& subnet : network.subnets()) own_.push_back(subnet);
  }

  std::optional<Subnet> claim(const std::optional<Subnet>& subnet) {
    if (!subnet) return subnet;
    for (const Subnet& other : own_) {
      if (!subnet->overlaps(other)) continue;
      throw os::Error("Pool overlaps with other one on this address space: " + subnet->to_string() +
                      " and " + other.to_string());
    }
    own_.push_back(*subnet);
    return subnet;
  }

  const PlanContext& context_;
  std::vector<Subnet> own_;
  std::set<std::string> bridges_;
};

}  // namespace

const Pool* configured_pool(const NetworkSpec& spec, bool v4) {
  for (const Pool& pool : spec.pools) {
    const std::optional<Subnet> subnet = Subnet::parse(pool.subnet);
    if (subnet && subnet->is_v4() == v4) return &pool;
  }
  return nullptr;
}

std::vector<NetworkRecord> plan_networks(const std::vector<NetworkSpec>& wanted,
                                         const std::vector<NetworkRecord>& existing,
                                         const PlanContext& context) {
  Planner planner(existing, context);
  std::vector<NetworkRecord> planned;
  const auto within = [](const std::string& name, const auto& step) {
    try {
      step();
    } catch (const os::Error& error) {
      throw error.in("network '" + name + "'");
    }
  };
  for (const NetworkSpec& spec : wanted) {
    within(spec.name, [&] { planned.push_back(planner.begin(spec)); });
  }
  for (NetworkRecord& network : planned) {
    within(network.spec.name, [&] { planner.finish(network); });
  }
  return planned;
}

std::optional<AddressRange> address_range(const NetworkRecord& network, bool v4) {
  const std::optional<Subnet>& subnet = v4 ? network.subnet4 : network.subnet6;
  if (!subnet) return std::nullopt;
  AddressRange range{.subnet = *subnet, .range = *subnet, .reserved = {}};
  if (const auto& gateway = v4 ? network.gateway4 : network.gateway6) {
    range.reserved.insert(*gateway);
  }
  const Pool* const pool = configured_pool(network.spec, v4);
  if (pool == nullptr) return range;
  if (!pool->ip_range.empty()) range.range = parse_subnet(pool->ip_range, "ip_range");
  for (const std::string& aux : pool->aux_addresses) {
    range.reserved.insert(parse_inside(aux, *subnet, "aux address"));
  }
  return range;
}

}  // namespace network
