// What is plugged into a stack's network: endpoints and published ports.
#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

#include "network/conntrack.hpp"
#include "network/firewall.hpp"
#include "network/lease.hpp"
#include "network/link.hpp"
#include "network/network_state.hpp"
#include "network/nftables.hpp"
#include "network/publication.hpp"
#include "network/uplink.hpp"
#include "network/veth.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/undo.hpp"

namespace network {
namespace {

/// Whether an endpoint on the network gets a default route of the family from it.
bool offers_way_out(const NetworkRecord& network, const LeaseRecord& lease, bool v4) {
  return !network.spec.internal && !lease.no_default_route &&
         (v4 ? lease.ipv4 : lease.ipv6).has_value();
}

}  // namespace

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

}  // namespace network
