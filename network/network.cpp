#include "network/network.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "network/bridge.hpp"
#include "network/conntrack.hpp"
#include "network/device_name.hpp"
#include "network/endpoint.hpp"
#include "network/firewall.hpp"
#include "network/foreign_firewall.hpp"
#include "network/host_firewall.hpp"
#include "network/lease.hpp"
#include "network/link.hpp"
#include "network/network_plan.hpp"
#include "network/nftables.hpp"
#include "network/paths.hpp"
#include "network/publication.hpp"
#include "network/record.hpp"
#include "network/route.hpp"
#include "network/uplink.hpp"
#include "network/veth.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/namespace.hpp"
#include "runtime/os/undo.hpp"

namespace network {
namespace {

/// The stack's end of an endpoint's interface.
std::string port_name(const std::string& owner, const std::string& network) {
  return device_name("v", owner + "\n" + network);
}

/// Whether an endpoint on the network gets a default route of the family from it.
bool offers_way_out(const NetworkRecord& network, const LeaseRecord& lease, bool v4) {
  return !network.spec.internal && !lease.no_default_route &&
         (v4 ? lease.ipv4 : lease.ipv6).has_value();
}

}  // namespace

struct Network::State {
  State(const std::string& run_dir, const std::string& project_name)
      : project(project_name),
        seed(run_dir + "\n" + project_name),
        paths(run_dir, project_name),
        firewall(paths.networks) {}

  std::string project, seed;
  Paths paths;
  HostFirewall firewall;
  NetlinkSocket host;
  std::optional<NetlinkSocket> stack;
  os::UniqueFd netns;
  Record record;

  void open();
  void remove();
  void ensure(const std::vector<NetworkSpec>& specs);
  void attach(const std::string& owner, int endpoint_netns);
  void detach(const std::string& owner);
  Published publish(const std::string& owner, const std::vector<PublishSpec>& ports);
  void withdraw(const std::vector<PublicationRecord>& publications);
  void save();
  bool has_unsaved_leases() const { return has_unsaved_leases_; }
  /// Takes over a changed record, writing it first.
  void adopt(Record next);
  /// Takes over leases. They are written when the first of them becomes an interface: many owners
  /// that start together cost one write.
  void keep_leases(Record next);

 private:
  bool has_unsaved_leases_ = false;

  void open_namespace();
  void open_uplink();
  void restore_networks(const std::vector<NetworkRecord>& networks);
  void remove_networks(const std::set<std::string>& names);
  std::vector<NetlinkMessage> host_routes(const std::vector<NetworkRecord>& networks);
  std::vector<NetworkRecord> plan(const std::vector<NetworkSpec>& wanted);
  Interface interface_of(const LeaseRecord& lease, const std::set<const LeaseRecord*>& ways_out4,
                         const std::set<const LeaseRecord*>& ways_out6);
  void inside(const std::function<void()>& work) const {
    os::in_network_namespace(netns.get(), work);
  }
};

void Network::State::save() {
  save_record(paths.record, record);
  has_unsaved_leases_ = false;
}

void Network::State::adopt(Record next) {
  if (next == record) return;
  save_record(paths.record, next);
  record = std::move(next);
  has_unsaved_leases_ = false;
}

void Network::State::keep_leases(Record next) {
  if (next == record) return;
  record = std::move(next);
  has_unsaved_leases_ = true;
}

void Network::State::open_namespace() {
  if (!is_pinned_namespace(paths.netns)) {
    // A pin without a namespace is what a reboot leaves on a disk.
    os::remove_named_network_namespace(paths.netns);
    os::create_named_network_namespace(paths.netns);
  }
  netns = os::open_namespace(paths.netns);
  stack.emplace(NetlinkSocket::inside(netns.get()));
}

void Network::State::open_uplink() {
  if (!record.uplink) {
    Record next = record;
    next.uplink = choose_uplink(host, seed);
    adopt(std::move(next));
  }
  create_uplink(host, *stack, netns.get(), *record.uplink);
}

void Network::State::open() {
  os::make_directories(paths.directory);
  const os::FileLock lock = os::FileLock::acquire(paths.lock);
  std::optional<Record> saved = load_record(paths.record);
  const bool is_new = !saved;
  record = saved ? std::move(*saved) : Record{.project = project};
  try {
    if (is_new) save();
    open_namespace();
    open_uplink();
    // Without networks there is nothing to protect: ensure() makes the rules with the first.
    if (!record.networks.empty()) restore_networks(record.networks);
    firewall.add_stack(record);
    admit_stacks_to_foreign_firewall();
  } catch (...) {
    // Nothing lives in a stack's network that was only now begun.
    if (is_new) remove();
    throw;
  }
}

std::vector<NetlinkMessage> Network::State::host_routes(
    const std::vector<NetworkRecord>& networks) {
  std::vector<NetlinkMessage> routes;
  const int index = link_index(host, record.uplink->device);
  for (const NetworkRecord& network : networks) {
    if (network.route4) {
      routes.push_back(add_route(*network.subnet4, record.uplink->stack4(), index));
      routes.back().tolerate(EEXIST);
    }
    if (network.route6 && record.uplink->subnet6) {
      routes.push_back(add_route(*network.subnet6, *record.uplink->stack6(), index));
      routes.back().tolerate(EEXIST);
    }
  }
  return routes;
}

void Network::State::restore_networks(const std::vector<NetworkRecord>& networks) {
  std::vector<Bridge> bridges;
  bool any6 = false;
  for (const NetworkRecord& network : networks) {
    Bridge bridge{.name = network.bridge, .mtu = network.mtu, .gateways = {}};
    if (network.gateway4) {
      bridge.gateways.emplace_back(*network.gateway4, network.subnet4->prefix());
    }
    if (network.gateway6) {
      bridge.gateways.emplace_back(*network.gateway6, network.subnet6->prefix());
      any6 = true;
    }
    bridges.push_back(std::move(bridge));
  }
  inside([&] {
    create_bridges(*stack, bridges);
    nft_replace_table("inet", "stack", stack_ruleset(record));
  });
  if (any6 && record.uplink->subnet6) forward_ipv6_on_host(host);
  host.request(host_routes(networks));
}

std::vector<NetworkRecord> Network::State::plan(const std::vector<NetworkSpec>& wanted) {
  const std::string resolv_conf = os::read_file_if_exists("/etc/resolv.conf").value_or("");
  const int own = link_index(host, record.uplink->device);
  PlanContext context{.project = seed,
                      .host = host_space(list_routes(host), name_servers_in(resolv_conf), own),
                      .unique_local = unique_local_prefix(seed),
                      .default_mtu = record.uplink->mtu};
  // The uplink's own subnets are no less taken for being ours.
  for (std::vector<Subnet>* taken : {&context.host.occupied, &context.host.avoided}) {
    taken->push_back(record.uplink->subnet4);
    if (record.uplink->subnet6) taken->push_back(*record.uplink->subnet6);
  }
  return plan_networks(wanted, record.networks, context);
}

void Network::State::remove_networks(const std::set<std::string>& names) {
  if (names.empty()) return;
  std::vector<NetlinkMessage> in_stack;
  std::vector<NetlinkMessage> on_host;
  Record next = record;
  std::set<std::string> owners;
  const int uplink = link_index(host, record.uplink->device);
  for (const LeaseRecord& lease : record.leases) {
    if (!names.contains(lease.network)) continue;
    owners.insert(lease.owner);
    in_stack.push_back(delete_link(port_name(lease.owner, lease.network)));
  }
  for (const NetworkRecord& network : record.networks) {
    if (!names.contains(network.spec.name)) continue;
    in_stack.push_back(delete_link(network.bridge));
    if (network.route4) {
      on_host.push_back(delete_route(*network.subnet4, record.uplink->stack4(), uplink));
    }
    if (network.route6 && record.uplink->subnet6) {
      on_host.push_back(delete_route(*network.subnet6, *record.uplink->stack6(), uplink));
    }
  }
  for (const std::string& owner : owners) {
    // What the owner publishes may lead into the network that goes.
    withdraw(extract_publications(next.publications, owner));
  }
  host.request(std::move(on_host));
  stack->request(std::move(in_stack));
  std::erase_if(next.networks, [&](const auto& each) { return names.contains(each.spec.name); });
  std::erase_if(next.leases, [&](const auto& each) { return names.contains(each.network); });
  adopt(std::move(next));
}

void Network::State::ensure(const std::vector<NetworkSpec>& specs) {
  std::set<std::string> obsolete;
  for (const NetworkRecord& network : record.networks) {
    if (std::find(specs.begin(), specs.end(), network.spec) == specs.end()) {
      obsolete.insert(network.spec.name);
    }
  }
  std::vector<NetworkSpec> missing;
  std::set<std::string> names;
  for (const NetworkSpec& spec : specs) {
    if (!names.insert(spec.name).second) {
      throw os::Error("network '" + spec.name + "' is given twice");
    }
    if (record.find_network(spec.name) == nullptr || obsolete.contains(spec.name)) {
      missing.push_back(spec);
    }
  }
  if (obsolete.empty() && missing.empty()) return;

  const os::FileLock lock = os::FileLock::acquire(paths.lock);
  remove_networks(obsolete);
  std::vector<NetworkRecord> planned = plan(missing);
  Record next = record;
  std::copy(planned.begin(), planned.end(), std::back_inserter(next.networks));
  adopt(std::move(next));
  restore_networks(planned);
}

Interface Network::State::interface_of(const LeaseRecord& lease,
                                       const std::set<const LeaseRecord*>& ways_out4,
                                       const std::set<const LeaseRecord*>& ways_out6) {
  constexpr int kLinkLocalPrefix4 = 16;
  constexpr int kLinkLocalPrefix6 = 64;
  const NetworkRecord& network = *record.find_network(lease.network);
  Interface interface {
    .name = lease.interface, .addresses = {}, .default_gateways = {}, .sysctls = lease.sysctls
  };
  if (lease.ipv4) interface.addresses.emplace_back(*lease.ipv4, network.subnet4->prefix());
  if (lease.ipv6) interface.addresses.emplace_back(*lease.ipv6, network.subnet6->prefix());
  for (const IpAddress& address : lease.link_local) {
    interface.addresses.emplace_back(address,
                                     address.is_v4() ? kLinkLocalPrefix4 : kLinkLocalPrefix6);
  }
  if (ways_out4.contains(&lease)) interface.default_gateways.push_back(*network.gateway4);
  if (ways_out6.contains(&lease)) interface.default_gateways.push_back(*network.gateway6);
  return interface;
}

void Network::State::attach(const std::string& owner, int endpoint_netns) {
  std::vector<const LeaseRecord*> leases;
  for (const LeaseRecord& lease : record.leases) {
    if (lease.owner == owner) leases.push_back(&lease);
  }
  // The endpoint chosen for the default route comes first; a family that it lacks is another's.
  std::vector<const LeaseRecord*> by_route = leases;
  std::stable_partition(by_route.begin(), by_route.end(),
                        [](const LeaseRecord* lease) { return lease->default_route; });
  std::array<std::set<const LeaseRecord*>, 2> ways_out;
  for (const bool v4 : {true, false}) {
    const auto way = std::find_if(by_route.begin(), by_route.end(), [&](const LeaseRecord* lease) {
      return offers_way_out(*record.find_network(lease->network), *lease, v4);
    });
    if (way != by_route.end()) ways_out[v4 ? 0 : 1].insert(*way);
  }

  if (has_unsaved_leases_) save();
  detach(owner);
  os::Undo undo;
  undo.add([&] { detach(owner); });
  std::vector<NetlinkMessage> messages;
  std::vector<Interface> interfaces;
  for (const LeaseRecord* lease : leases) {
    const NetworkRecord& network = *record.find_network(lease->network);
    const std::string name = port_name(owner, lease->network);
    messages.push_back(create_veth({.name = name,
                                    .bridge_index = link_index(*stack, network.bridge),
                                    .peer = lease->interface,
                                    .peer_mac = lease->mac,
                                    .peer_netns = endpoint_netns,
                                    .mtu = network.mtu}));
    messages.push_back(without_link_local(name));
    messages.push_back(bring_port_up(name, !network.spec.icc));
    interfaces.push_back(interface_of(*lease, ways_out[0], ways_out[1]));
  }
  try {
    stack->request(std::move(messages));
  } catch (const os::Error& error) {
    // br_add_if(): a bridge has 1,023 ports (BR_PORT_BITS).
    if (error.code() == EXFULL) throw error.in("a network takes no more than 1023 endpoints");
    throw;
  }
  configure_interfaces(endpoint_netns, interfaces);
  for (const LeaseRecord* lease : leases) {
    await_operational(*stack, port_name(owner, lease->network));
    // The first port that carries packets makes the bridge itself do so.
    await_operational(*stack, record.find_network(lease->network)->bridge);
  }
  undo.commit();
}

void Network::State::detach(const std::string& owner) {
  std::vector<NetlinkMessage> messages;
  for (const LeaseRecord& lease : record.leases) {
    if (lease.owner == owner) messages.push_back(delete_link(port_name(owner, lease.network)));
  }
  stack->request(std::move(messages));
}

void Network::State::withdraw(const std::vector<PublicationRecord>& publications) {
  if (publications.empty()) return;
  firewall.commit(host_port_elements(Change::remove, *record.uplink, publications));
  inside([&] {
    nft_commit(stack_port_elements(Change::remove, publications));
    forget_udp_flows(udp_ports(publications, &PublicationRecord::transit));
  });
  forget_udp_flows(udp_ports(publications, &PublicationRecord::published));
}

Published Network::State::publish(const std::string& owner, const std::vector<PublishSpec>& ports) {
  Record next = record;
  const LeaseRecord* const lease = publishing_lease(next, owner);
  if (lease == nullptr || ports.empty()) return {};
  const PublicationTarget target{
      .owner = owner, .ipv4 = lease->ipv4, .ipv6 = lease->ipv6, .uplink = *record.uplink};
  auto [published, fresh] = bind_publications(ports, target, has_ipv6(), next.publications);
  withdraw(extract_stale(next.publications, fresh));
  const Record before = next;
  std::copy(fresh.begin(), fresh.end(), std::back_inserter(next.publications));
  adopt(std::move(next));
  os::Undo undo;
  undo.add([&, publications = fresh] {
    withdraw(publications);
    adopt(before);
  });
  inside([&] {
    nft_commit(stack_port_elements(Change::add, fresh));
    forget_udp_flows(udp_ports(fresh, &PublicationRecord::transit));
  });
  firewall.commit(host_port_elements(Change::add, *record.uplink, fresh));
  forget_udp_flows(udp_ports(fresh, &PublicationRecord::published));
  undo.commit();
  return std::move(published);
}

void Network::State::remove() {
  std::optional<os::Error> first;
  const auto attempt = [&](const std::function<void()>& step) {
    try {
      step();
    } catch (const os::Error& error) {
      if (!first) first = error;
    }
  };
  attempt([&] { firewall.remove_stack(record); });
  if (record.uplink) attempt([&] { host.request(delete_link(record.uplink->device)); });
  attempt([&] { dismiss_stacks_from_foreign_firewall(paths.networks, project); });
  stack.reset();
  netns.reset();
  attempt([&] { os::remove_named_network_namespace(paths.netns); });
  // The record goes last and only with everything else: it is what a further try works from.
  if (!first) attempt([&] { os::remove_tree(paths.directory); });
  if (first) throw *first;
}

void Network::discard(const std::string& run_dir, const std::string& project) {
  if (!exists(run_dir, project)) return;
  State state(run_dir, project);
  const os::FileLock lock = os::FileLock::acquire(state.paths.lock);
  state.record = load_record(state.paths.record).value_or(Record{.project = project});
  state.remove();
}

Network::Network(std::string run_dir, std::string project)
    : state_(std::make_unique<State>(run_dir, project)) {
  try {
    state_->open();
  } catch (const os::Error& error) {
    throw error.in("network of '" + project + "'");
  }
}

Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

void Network::ensure(const std::vector<NetworkSpec>& specs) { state_->ensure(specs); }
std::vector<NetworkState> Network::networks() const {
  const auto text = [](const auto& value) { return value ? value->to_string() : std::string(); };
  std::vector<NetworkState> states;
  for (const NetworkRecord& network : state_->record.networks) {
    states.push_back({.spec = network.spec,
                      .bridge = network.bridge,
                      .subnet4 = text(network.subnet4),
                      .gateway4 = text(network.gateway4),
                      .subnet6 = text(network.subnet6),
                      .gateway6 = text(network.gateway6),
                      .routed_from_host = (network.route4 || !network.subnet4) &&
                                          (network.route6 || !network.subnet6)});
  }
  return states;
}

std::vector<std::string> Network::owners() const {
  std::set<std::string> owners;
  for (const LeaseRecord& lease : state_->record.leases) owners.insert(lease.owner);
  return {owners.begin(), owners.end()};
}

std::vector<Address> Network::lease(const std::string& owner,
                                    const std::vector<EndpointSpec>& endpoints) {
  Record next = state_->record;
  std::vector<Address> addresses = assign_leases(next, owner, endpoints);
  state_->keep_leases(std::move(next));
  return addresses;
}

void Network::save() {
  if (state_->has_unsaved_leases()) state_->save();
}

void Network::release(const std::string& owner) {
  unpublish(owner);
  detach(owner);
  Record next = state_->record;
  drop_leases(next, owner);
  state_->adopt(std::move(next));
}

void Network::attach(const std::string& owner, int netns,
                     const std::vector<EndpointSpec>& endpoints) {
  lease(owner, endpoints);
  state_->attach(owner, netns);
}

void Network::detach(const std::string& owner) { state_->detach(owner); }
DnsSockets Network::open_dns(int netns) { return open_dns_sockets(netns); }
void Network::set_up_loopback(int netns) { configure_loopback(netns); }

Published Network::publish(const std::string& owner, const std::vector<PublishSpec>& ports) {
  unpublish(owner);
  return state_->publish(owner, ports);
}

void Network::unpublish(const std::string& owner) {
  Record next = state_->record;
  const std::vector<PublicationRecord> publications =
      extract_publications(next.publications, owner);
  state_->withdraw(publications);
  state_->adopt(std::move(next));
}

std::vector<PublishedPort> Network::published(const std::string& owner) const {
  std::vector<PublishedPort> ports;
  for (const PublicationRecord& publication : state_->record.publications) {
    if (publication.owner != owner) continue;
    ports.push_back({.host_ip = publication.host_ip.to_string(),
                     .published = publication.published,
                     .target = publication.target,
                     .protocol = publication.protocol});
  }
  return ports;
}

std::string Network::host_gateway() const { return state_->record.uplink->host4().to_string(); }
int Network::netns_fd() const { return state_->netns.get(); }

void Network::remove() {
  const os::FileLock lock = os::FileLock::acquire(state_->paths.lock);
  state_->remove();
}

}  // namespace network
