#include "network/network_state.hpp"

#include <algorithm>
#include <functional>
#include <future>
#include <iterator>
#include <set>
#include <utility>

#include "network/bridge.hpp"
#include "network/device_name.hpp"
#include "network/firewall.hpp"
#include "network/foreign_firewall.hpp"
#include "network/link.hpp"
#include "network/network_plan.hpp"
#include "network/nftables.hpp"
#include "network/publication.hpp"
#include "network/route.hpp"
#include "network/uplink.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace network {

std::string port_name(const std::string& owner, const std::string& network) {
  return device_name("v", owner + "\n" + network);
}

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

void Network::State::do_or_leave(std::function<void()> piece) {
  if (work_ == Work::now)
    piece();
  else
    pieces_.push_back(std::move(piece));
}

bool Network::State::advance() {
  if (pieces_.empty()) return false;
  {
    const os::FileLock lock = os::FileLock::acquire(paths.lock);
    pieces_.front()();
  }
  pieces_.pop_front();
  return !pieces_.empty();
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
    do_or_leave([this] { firewall.add_stack(record); });
    do_or_leave([] { admit_stacks_to_foreign_firewall(); });
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

  while (!obsolete.empty() && advance()) {
  }
  const os::FileLock lock = os::FileLock::acquire(paths.lock);
  remove_networks(obsolete);
  std::vector<NetworkRecord> planned = plan(missing);
  Record next = record;
  std::copy(planned.begin(), planned.end(), std::back_inserter(next.networks));
  adopt(std::move(next));
  do_or_leave([this, planned] { restore_networks(planned); });
}

void Network::State::remove() {
  pieces_.clear();
  std::optional<os::Error> first;
  const auto attempt = [&](const std::function<void()>& step) {
    try {
      step();
    } catch (const os::Error& error) {
      if (!first) first = error;
    }
  };
  {
    // Either waits for a grace period of the kernel.
    std::future<void> rules =
        std::async(std::launch::async, [this] { firewall.remove_stack(record); });
    if (record.uplink) attempt([&] { host.request(delete_link(record.uplink->device)); });
    attempt([&] { rules.get(); });
  }
  attempt([&] { dismiss_stacks_from_foreign_firewall(paths.networks, project); });
  stack.reset();
  netns.reset();
  attempt([&] { os::remove_named_network_namespace(paths.netns); });
  // The record goes last and only with everything else: it is what a further try works from.
  if (!first) attempt([&] { os::remove_tree(paths.directory); });
  if (first) throw *first;
}

}  // namespace network
