#include "network/uplink.hpp"

#include <sstream>

#include "network/address_pool.hpp"
#include "network/device_name.hpp"
#include "network/firewall.hpp"
#include "network/link.hpp"
#include "network/sysctl.hpp"
#include "network/veth.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/namespace.hpp"

namespace network {

namespace {

constexpr int kWidestPrefix = 8;

void prepare_host_end(const std::string& device) {
  // Clients at 127.0.0.1 leave by the uplink; the firewall drops what comes in for 127.0.0.0/8.
  set_sysctl("net/ipv4/conf/" + device + "/route_localnet", "1");
  set_sysctl_if_present("net/ipv6/conf/" + device + "/accept_ra", "0");
  set_sysctl("net/ipv4/ip_forward", "1");
}

void prepare_stack_end() {
  set_sysctl("net/ipv4/ip_forward", "1");
  set_sysctl_if_present("net/ipv6/conf/all/forwarding", "1");
  set_sysctl_if_present(std::string("net/ipv6/conf/") + kUplinkInside + "/accept_ra", "0");
}

std::vector<NetlinkMessage> host_end_settings(int index, const UplinkRecord& uplink) {
  std::vector<NetlinkMessage> settings;
  settings.push_back(without_link_local(uplink.device));
  settings.push_back(add_address(index, uplink.host4(), uplink.subnet4.prefix(), uplink.device));
  if (uplink.host6()) {
    settings.push_back(add_link_local(index, 1, uplink.device));
    settings.push_back(
        add_address(index, *uplink.host6(), uplink.subnet6->prefix(), uplink.device));
  }
  settings.push_back(bring_link_up(index, uplink.device));
  return settings;
}

std::vector<NetlinkMessage> stack_end_settings(NetlinkSocket& stack, const UplinkRecord& uplink) {
  const int index = link_index(stack, kUplinkInside);
  std::vector<NetlinkMessage> settings;
  settings.push_back(bring_link_up(link_index(stack, "lo"), "lo"));
  settings.push_back(without_link_local(kUplinkInside));
  settings.push_back(add_address(index, uplink.stack4(), uplink.subnet4.prefix(), kUplinkInside));
  if (uplink.stack6()) {
    settings.push_back(add_link_local(index, 2, kUplinkInside));
    settings.push_back(
        add_address(index, *uplink.stack6(), uplink.subnet6->prefix(), kUplinkInside));
  }
  settings.push_back(bring_link_up(index, kUplinkInside));
  settings.push_back(add_default_route(uplink.host4(), index));
  if (uplink.host6()) settings.push_back(add_default_route(*uplink.host6(), index));
  return settings;
}

}  // namespace

HostSpace host_space(const std::vector<Route>& routes, const std::vector<IpAddress>& name_servers,
                     int ignored_interface) {
  HostSpace space;
  for (const Route& route : routes) {
    if (route.destination.prefix() < kWidestPrefix) continue;
    if (ignored_interface != 0 && route.interface == ignored_interface) continue;
    space.avoided.push_back(route.destination);
    if (route.on_link) space.occupied.push_back(route.destination);
  }
  for (const IpAddress& server : name_servers) {
    space.avoided.emplace_back(server, server.bits());
    space.occupied.emplace_back(server, server.bits());
  }
  return space;
}

std::vector<IpAddress> name_servers_in(const std::string& resolv_conf) {
  std::vector<IpAddress> servers;
  std::istringstream lines(resolv_conf);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string keyword;
    std::string address;
    if (!(words >> keyword >> address) || keyword != "nameserver") continue;
    address = address.substr(0, address.find('%'));
    if (const std::optional<IpAddress> server = IpAddress::parse(address)) {
      servers.push_back(*server);
    }
  }
  return servers;
}

int default_route_mtu(NetlinkSocket& host, const std::vector<Route>& routes) {
  constexpr int kEthernet = 1500;
  const Route* best = nullptr;
  for (const Route& route : routes) {
    if (!route.is_default || route.interface == 0) continue;
    // IPv4 comes first in the listing: its default route counts before any of IPv6.
    if (best != nullptr && best->destination.family() != route.destination.family()) break;
    if (best == nullptr || route.metric < best->metric) best = &route;
  }
  if (best == nullptr) return kEthernet;
  const std::optional<Link> link = find_link(host, best->interface);
  // Loopback has a default route of its own kind ("unreachable default dev lo").
  return link && link->name != "lo" && link->mtu > 0 ? link->mtu : kEthernet;
}

bool has_ipv6() {
  return read_sysctl("net/ipv6/conf/all/disable_ipv6") == "0" &&
         read_sysctl("net/ipv6/conf/default/disable_ipv6") == "0";
}

UplinkRecord choose_uplink(NetlinkSocket& host, const std::string& seed) {
  const std::vector<Route> routes = list_routes(host);
  const std::string resolv_conf = os::read_file_if_exists("/etc/resolv.conf").value_or("");
  const HostSpace space = host_space(routes, name_servers_in(resolv_conf), 0);
  UplinkRecord uplink;
  uplink.device = device_name("st", seed);
  const std::optional<Subnet> subnet = choose_uplink_subnet(space.avoided);
  if (!subnet) throw os::Error(EADDRNOTAVAIL, "choose addresses for the uplink");
  uplink.subnet4 = *subnet;
  if (has_ipv6()) uplink.subnet6 = Subnet(unique_local_prefix(seed).base(), 126);
  uplink.mtu = default_route_mtu(host, routes);
  return uplink;
}

void create_uplink(NetlinkSocket& host, NetlinkSocket& stack, int stack_netns,
                   const UplinkRecord& uplink) {
  if (!find_link(host, uplink.device) || !find_link(stack, kUplinkInside)) {
    // Half of a pair is one whose other half is in a namespace that was lost.
    host.request(delete_link(uplink.device));
    stack.request(delete_link(kUplinkInside));
    host.request(create_veth({.name = uplink.device,
                              .peer = kUplinkInside,
                              .peer_netns = stack_netns,
                              .mtu = uplink.mtu}));
  }
  prepare_host_end(uplink.device);
  host.request(host_end_settings(link_index(host, uplink.device), uplink));
  os::in_network_namespace(stack_netns, prepare_stack_end);
  stack.request(stack_end_settings(stack, uplink));
  await_operational(stack, kUplinkInside);
  await_operational(host, uplink.device);
}

void forward_ipv6_on_host(NetlinkSocket& host) {
  if (read_sysctl("net/ipv6/conf/all/forwarding") != "0") return;
  for (const Route& route : list_routes(host)) {
    if (!route.from_advertisement || route.interface == 0) continue;
    const std::optional<Link> link = find_link(host, route.interface);
    if (link) set_sysctl_if_present("net/ipv6/conf/" + link->name + "/accept_ra", "2");
  }
  set_sysctl("net/ipv6/conf/all/forwarding", "1");
}

}  // namespace network
