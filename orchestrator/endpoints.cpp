#include "orchestrator/endpoints.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>
#include <tuple>

#include "network/sysctl.hpp"
#include "runtime/os/error.hpp"

namespace orchestrator {

namespace {

std::string option(const manifests::Options& options, const std::string& key) {
  const auto found = options.find(key);
  return found == options.end() ? std::string() : found->second;
}

bool switched_on(const manifests::Options& options, const std::string& key) {
  return option(options, key) != "false";
}

std::optional<int> mtu_of(const manifests::Network& network) {
  const std::string text = option(network.driver_opts, "com.docker.network.driver.mtu");
  if (text.empty()) return std::nullopt;
  int mtu = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), mtu);
  if (failed != std::errc() || end != text.data() + text.size() || mtu < 68 || mtu > 65535)
    throw os::Error("network \"" + network.name + "\": invalid MTU '" + text + "'");
  return mtu;
}

}  // namespace

network::NetworkSpec network_spec(const manifests::Network& network) {
  if (!network.driver.empty() && network.driver != "bridge" && network.driver != "default")
    throw os::Error("network \"" + network.name + "\": plugin \"" + network.driver +
                    "\" not found: only the driver bridge is there");
  network::NetworkSpec spec{.name = network.name,
                            .internal = network.internal,
                            .enable_ipv4 = network.enable_ipv4.value_or(true),
                            .enable_ipv6 = network.enable_ipv6.value_or(false)};
  const std::string prefix = "com.docker.network.bridge.";
  spec.icc = switched_on(network.driver_opts, prefix + "enable_icc");
  spec.masquerade = switched_on(network.driver_opts, prefix + "enable_ip_masquerade");
  spec.bridge_name = option(network.driver_opts, prefix + "name");
  spec.mtu = mtu_of(network);
  for (const manifests::IpamPool& pool : network.ipam.config) {
    network::Pool made{.subnet = pool.subnet, .gateway = pool.gateway, .ip_range = pool.ip_range};
    for (const auto& [name, address] : pool.aux_addresses) made.aux_addresses.push_back(address);
    spec.pools.push_back(std::move(made));
  }
  return spec;
}

namespace {

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

/// "NAME=VALUE,NAME=VALUE" of com.docker.network.endpoint.sysctls.
std::map<std::string, std::string> endpoint_sysctls(
    const manifests::NetworkAttachment& attachment) {
  std::map<std::string, std::string> sysctls;
  std::istringstream items(option(attachment.driver_opts, "com.docker.network.endpoint.sysctls"));
  for (std::string item; std::getline(items, item, ',');) {
    const auto equals = item.find('=');
    if (equals == std::string::npos)
      throw os::Error("com.docker.network.endpoint.sysctls: '" + item + "' is not NAME=VALUE");
    network::interface_sysctl(item.substr(0, equals), "eth0");  // throws for what is no such name
    sysctls[item.substr(0, equals)] = item.substr(equals + 1);
  }
  return sysctls;
}

}  // namespace

std::vector<network::NetworkSpec> network_specs(const manifests::Stack& stack) {
  std::vector<network::NetworkSpec> specs;
  for (const auto& [key, network] : stack.networks) {
    if (!network.external) specs.push_back(network_spec(network));
  }
  return specs;
}

std::vector<network::EndpointSpec> endpoint_specs(const manifests::Stack& stack,
                                                  const manifests::Service& service) {
  std::vector<network::EndpointSpec> specs;
  // Compared so that the greatest is the gateway: priority, dual stack, then the first by name.
  using Rank = std::tuple<std::int64_t, bool>;
  std::optional<std::pair<Rank, std::size_t>> gateway;
  std::string gateway_name;
  for (const std::string& key : service.networks_by_priority()) {
    const manifests::NetworkAttachment& attachment = service.networks.at(key);
    const manifests::Network& network = stack.networks.at(key);
    network::EndpointSpec spec{.network = network.name,
                               .interface = attachment.interface_name,
                               .ipv4 = given(attachment.ipv4_address),
                               .ipv6 = given(attachment.ipv6_address),
                               .mac = given(attachment.mac_address),
                               .link_local = attachment.link_local_ips,
                               .sysctls = endpoint_sysctls(attachment)};
    const std::string name = option(attachment.driver_opts, "com.docker.network.endpoint.ifname");
    if (!name.empty()) spec.interface = name;
    if (specs.empty() && !spec.mac) spec.mac = given(service.mac_address);
    if (!network.internal) {
      const Rank rank{attachment.gw_priority, network.enable_ipv6.value_or(false)};
      if (!gateway || rank > gateway->first || (rank == gateway->first && key < gateway_name)) {
        gateway = {rank, specs.size()};
        gateway_name = key;
      }
    }
    specs.push_back(std::move(spec));
  }
  if (gateway) specs[gateway->second].default_route = true;
  return specs;
}

std::vector<network::EndpointSpec> arrange(
    std::vector<network::EndpointSpec> endpoints,
    const std::function<bool(const std::string& network)>& is_shared) {
  std::set<std::string> names;
  bool leads_out_by_shared = false;
  for (const network::EndpointSpec& endpoint : endpoints) {
    if (!endpoint.interface.empty()) names.insert(endpoint.interface);
    if (endpoint.default_route && is_shared(endpoint.network)) leads_out_by_shared = true;
  }
  int next = 0;
  for (network::EndpointSpec& endpoint : endpoints) {
    endpoint.no_default_route =
        is_shared(endpoint.network) ? !endpoint.default_route : leads_out_by_shared;
    while (endpoint.interface.empty()) {
      std::string name = "eth" + std::to_string(next++);
      if (names.insert(name).second) endpoint.interface = std::move(name);
    }
  }
  return endpoints;
}

std::vector<network::PublishSpec> publish_specs(const manifests::Service& service) {
  if (!service.network_mode.empty()) return {};
  std::vector<network::PublishSpec> specs;
  for (const manifests::Port& port : service.ports) {
    const auto [first, last] = port.published_range();
    const char* protocol = "tcp";
    if (port.protocol == manifests::Protocol::udp) protocol = "udp";
    if (port.protocol == manifests::Protocol::sctp) protocol = "sctp";
    specs.push_back({.host_ip = port.host_ip,
                     .published_first = first,
                     .published_last = last,
                     .target = port.target,
                     .protocol = protocol});
  }
  return specs;
}

network::DnsEndpoint dns_endpoint(const manifests::Service& service, const ContainerRecord& record,
                                  const std::string& network_key, bool by_service,
                                  const network::Address& address) {
  network::DnsEndpoint endpoint{.name = record.name, .aliases = {record.short_id()}};
  if (!service.hostname.empty()) endpoint.aliases.push_back(service.hostname);
  if (by_service) {
    endpoint.aliases.push_back(service.name);
    const manifests::NetworkAttachment& attachment = service.networks.at(network_key);
    endpoint.aliases.insert(endpoint.aliases.end(), attachment.aliases.begin(),
                            attachment.aliases.end());
  }
  for (const std::string* ip : {&address.ipv4, &address.ipv6})
    if (!ip->empty()) endpoint.addresses.push_back(*ip);
  return endpoint;
}

network::DnsView dns_view(const manifests::Stack& stack, const manifests::Service& service) {
  network::DnsView view;
  std::vector<std::string> keys = service.networks_by_priority();
  std::stable_sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) {
    return service.networks.at(a).gw_priority > service.networks.at(b).gw_priority;
  });
  view.forward = false;
  for (const std::string& key : keys) {
    const manifests::Network& network = stack.networks.at(key);
    view.networks.push_back(network.name);
    if (!network.internal) view.forward = true;
  }
  for (const std::string& link : service.links) {
    const auto colon = link.find(':');
    if (colon != std::string::npos) view.links[link.substr(colon + 1)] = link.substr(0, colon);
  }
  return view;
}

}  // namespace orchestrator
