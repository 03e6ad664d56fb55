#include "network/network.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "network/endpoint.hpp"
#include "network/lease.hpp"
#include "network/network_state.hpp"
#include "network/publication.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace network {

void Network::discard(const std::string& run_dir, const std::string& project) {
  if (!exists(run_dir, project)) return;
  State state(run_dir, project);
  const os::FileLock lock = os::FileLock::acquire(state.paths.lock);
  state.record = load_record(state.paths.record).value_or(Record{.project = project});
  state.remove();
}

Network::Network(std::string run_dir, std::string project, Work work)
    : state_(std::make_unique<State>(run_dir, project, work)) {
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
bool Network::advance() { return state_->advance(); }

void Network::settle() {
  while (state_->advance()) {
  }
}

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
  settle();
  lease(owner, endpoints);
  state_->attach(owner, netns);
}

void Network::detach(const std::string& owner) { state_->detach(owner); }
DnsSockets Network::open_dns(int netns) { return open_dns_sockets(netns); }
void Network::set_up_loopback(int netns) { configure_loopback(netns); }

Published Network::publish(const std::string& owner, const std::vector<PublishSpec>& ports) {
  settle();
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
