// `network`: the networks that stacks share.
#include <unistd.h>

#include "network/subnet.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/labels.hpp"
#include "orchestrator/cli/object_verbs.hpp"
#include "orchestrator/cli/table.hpp"
#include "orchestrator/endpoints.hpp"
#include "orchestrator/record.hpp"
#include "orchestrator/shared_networks.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

using Json = nlohmann::ordered_json;
using orchestrator::SharedNetwork;
using orchestrator::SharedNetworks;

struct NetworkFlags : ObjectFlags {
  std::vector<std::string> subnets;
  std::vector<std::string> gateways;
  std::vector<std::string> ranges;
  std::vector<std::string> reserved;
  bool internal = false;
  bool ipv6 = false;
  bool attachable = false;
};

void declare(CommandLine& line, NetworkFlags& flags) {
  declare(line, flags,
          {.driver = "bridge",
           .options = "create: an option of the driver (com.docker.network.driver.mtu …)",
           .arguments = "create NAME | ls | inspect NAME... | rm NAME..."});
  line.list("--subnet", flags.subnets, "CIDR", "create: its addresses, one for each of IPv4, IPv6");
  line.list("--gateway", flags.gateways, "ADDRESS", "create: the gateway of a subnet");
  line.list("--ip-range", flags.ranges, "CIDR", "create: hand out only these of a subnet");
  line.list("--aux-address", flags.reserved, "NAME=ADDRESS", "create: never hand this one out");
  line.flag("--internal", flags.internal, "create: no way out of it");
  line.flag("--ipv6", flags.ipv6, "create: with IPv6");
  line.flag("--attachable", flags.attachable, "");
  line.example("stack network create proxy", "a network for several stacks (external: true)");
  line.example("stack network create --subnet 10.9.0.0/24 lab", "with addresses of your choice");
  line.example("stack network rm proxy", "once no container is on it any more");
}

/// Puts each gateway, range and reserved address with the subnet that it lies in.
std::vector<manifests::IpamPool> pools_of(const NetworkFlags& flags) {
  std::vector<manifests::IpamPool> pools;
  for (const std::string& subnet : flags.subnets) pools.push_back({.subnet = subnet});
  const auto pool_with = [&](const std::string& text, const char* flag) -> manifests::IpamPool& {
    const auto inner =
        network::Subnet::parse(text.find('/') != std::string::npos
                                   ? text
                                   : text + (text.find(':') == std::string::npos ? "/32" : "/128"));
    if (!inner) throw os::Error(std::string("invalid ") + flag + " '" + text + "'");
    for (manifests::IpamPool& pool : pools)
      if (const auto subnet = network::Subnet::parse(pool.subnet);
          subnet && subnet->contains(*inner))
        return pool;
    throw os::Error(std::string(flag) + " " + text + " is in no --subnet");
  };
  for (const std::string& text : flags.gateways) pool_with(text, "--gateway").gateway = text;
  for (const std::string& text : flags.ranges) pool_with(text, "--ip-range").ip_range = text;
  for (const auto& [name, address] : parse_pairs(flags.reserved, "--aux-address"))
    pool_with(address, "--aux-address").aux_addresses[name] = address;
  return pools;
}

int create(SharedNetworks& networks, const NetworkFlags& flags, const std::string& name) {
  manifests::Network wanted{.name = name,
                            .driver = flags.driver,
                            .driver_opts = parse_pairs(flags.options, "--opt"),
                            .internal = flags.internal,
                            .labels = parse_pairs(flags.labels, "--label")};
  wanted.ipam.config = pools_of(flags);
  if (flags.ipv6) wanted.enable_ipv6 = true;
  networks.create({.spec = orchestrator::network_spec(wanted), .labels = wanted.labels});
  write_out(name + "\n");
  return 0;
}

Json describe(SharedNetworks& networks, const SharedNetwork& network) {
  const auto state = networks.state(network.spec.name);
  Json subnets = Json::array();
  if (state) {
    for (const auto& [subnet, gateway] :
         {std::pair(state->subnet4, state->gateway4), std::pair(state->subnet6, state->gateway6)})
      if (!subnet.empty()) subnets.push_back({{"Subnet", subnet}, {"Gateway", gateway}});
  }
  Json containers = Json::array();
  for (const orchestrator::SharedOwner& user : networks.users(network.spec.name))
    containers.push_back({{"ID", user.container}, {"Project", user.project}});
  return {{"Name", network.spec.name},
          {"Driver", "bridge"},
          {"Scope", "local"},
          {"Internal", network.spec.internal},
          {"IPv6", network.spec.enable_ipv6},
          {"CreatedAt", network.created_at},
          {"Subnets", subnets},
          {"Labels", network.labels},
          {"Containers", containers}};
}

int list(SharedNetworks& networks, const NetworkFlags& flags) {
  Table table({"NAME", "DRIVER", "SUBNET", "CONTAINERS"});
  std::vector<Json> objects;
  std::string names;
  for (const SharedNetwork& network : networks.list()) {
    names += network.spec.name + "\n";
    if (flags.quiet) continue;
    Json object = describe(networks, network);
    std::string subnets;
    for (const Json& each : object["Subnets"])
      subnets += (subnets.empty() ? "" : ", ") + each["Subnet"].get<std::string>();
    table.add({network.spec.name, "bridge", subnets, std::to_string(object["Containers"].size())});
    objects.push_back(std::move(object));
  }
  write_out(flags.quiet ? names : render_rows(flags.format, table, objects));
  return 0;
}

int inspect(SharedNetworks& networks, const std::vector<std::string>& names) {
  Json all = Json::array();
  for (const std::string& name : names) {
    const auto network = networks.find(name);
    if (!network) throw os::Error("network " + name + " not found");
    all.push_back(describe(networks, *network));
  }
  write_out(all.dump(4) + "\n");
  return 0;
}

int remove(SharedNetworks& networks, const NetworkFlags& flags,
           const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (flags.force && !networks.find(name)) continue;
    networks.remove(name);
    write_out(name + "\n");
  }
  return 0;
}

}  // namespace

int network(Invocation& invocation) {
  NetworkFlags flags;
  declare(invocation.line, flags);
  if (!invocation.line.parse()) return 0;
  require_verb(flags, {"create", "ls", "inspect", "rm"});
  const std::string& verb = flags.verb();
  const std::vector<std::string> names = flags.names();
  if (verb == "create" ? names.size() != 1 : verb == "ls" ? !names.empty() : names.empty())
    throw UsageError(verb == "ls" ? "ls takes no names" : verb + " requires the name of a network");
  require_root(invocation);
  invocation.paths.make();
  SharedNetworks networks(invocation.paths);
  if (verb == "create") return create(networks, flags, names.front());
  if (verb == "ls") return list(networks, flags);
  return verb == "inspect" ? inspect(networks, names) : remove(networks, flags, names);
}

}  // namespace cli
