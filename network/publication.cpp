#include "network/publication.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "network/firewall.hpp"
#include "runtime/os/error.hpp"

namespace network {

namespace {

IpAddress unspecified(const char* text) { return IpAddress::parse(text).value(); }

PortUse use_of(const IpAddress& address, const PublishSpec& spec, const PublicationTarget& target) {
  // No relay speaks SCTP: what the firewall cannot lead is merely reserved.
  if (spec.protocol == "sctp") return PortUse::reserve;
  // Even where the firewall leads IPv6, "::1" and link-local clients arrive at the socket itself.
  if (!address.is_v4()) return PortUse::relay;
  return target.ipv4 ? PortUse::reserve : PortUse::relay;
}

/// Where a relay on the host reaches the target.
std::string relay_destination(const PublicationTarget& target, std::uint16_t transit) {
  if (target.ipv4) return target.uplink.stack4().with_port(transit);
  const std::optional<IpAddress> stack6 = target.uplink.stack6();
  if (!stack6) throw os::Error(EAFNOSUPPORT, "publish a port of an IPv6-only endpoint");
  return stack6->with_port(transit);
}

void check(const PublishSpec& spec) {
  protocol_number(spec.protocol);
  if (spec.target == 0) throw os::Error("missing a target port");
  if (spec.published_last != 0 && spec.published_last < spec.published_first) {
    throw os::Error("Invalid hostPort: " + std::to_string(spec.published_first) + "-" +
                    std::to_string(spec.published_last));
  }
}

}  // namespace

std::vector<PortAddress> port_addresses(const PublishSpec& spec, const PublicationTarget& target,
                                        bool host_has_ipv6) {
  std::vector<IpAddress> addresses;
  if (spec.host_ip.empty()) {
    addresses.push_back(unspecified("0.0.0.0"));
    if (host_has_ipv6) addresses.push_back(unspecified("::"));
  } else {
    const std::optional<IpAddress> address = IpAddress::parse(spec.host_ip);
    if (!address) throw os::Error("Invalid ip address: " + spec.host_ip);
    addresses.push_back(*address);
  }
  std::vector<PortAddress> result;
  for (const IpAddress& address : addresses) {
    result.push_back({.address = address, .use = use_of(address, spec, target)});
  }
  return result;
}

std::uint16_t choose_transit(const std::vector<PublicationRecord>& publications,
                             const std::string& protocol, std::uint16_t preferred) {
  std::set<std::uint16_t> taken;
  for (const PublicationRecord& publication : publications) {
    if (publication.protocol == protocol) taken.insert(publication.transit);
  }
  if (!taken.contains(preferred)) return preferred;
  for (std::uint16_t port = 65535; port > 0; --port) {
    if (!taken.contains(port)) return port;
  }
  throw os::Error(EADDRINUSE, "find a free port of the uplink");
}

std::pair<Published, std::vector<PublicationRecord>> bind_publications(
    const std::vector<PublishSpec>& specs, const PublicationTarget& target, bool host_has_ipv6,
    std::vector<PublicationRecord> publications) {
  Published published;
  std::vector<PublicationRecord> records;
  for (const PublishSpec& spec : specs) {
    check(spec);
    const std::vector<PortAddress> addresses = port_addresses(spec, target, host_has_ipv6);
    BoundPort bound = bind_published_port(spec, addresses);
    const std::uint16_t transit = choose_transit(publications, spec.protocol, bound.port);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      const IpAddress& address = addresses[i].address;
      if (addresses[i].use == PortUse::relay) {
        published.relays.push_back({.protocol = spec.protocol,
                                    .socket = std::move(bound.sockets[i]),
                                    .to = relay_destination(target, transit)});
      } else {
        published.reservations.push_back(std::move(bound.sockets[i]));
      }
      published.ports.push_back({.host_ip = address.to_string(),
                                 .published = bound.port,
                                 .target = spec.target,
                                 .protocol = spec.protocol});
      records.push_back({.owner = target.owner,
                         .protocol = spec.protocol,
                         .host_ip = address,
                         .published = bound.port,
                         .transit = transit,
                         .target = spec.target,
                         .to4 = target.ipv4,
                         .to6 = target.ipv6});
      publications.push_back(records.back());
    }
  }
  return {std::move(published), std::move(records)};
}

std::vector<PublicationRecord> extract_publications(std::vector<PublicationRecord>& publications,
                                                    const std::string& owner) {
  const auto kept =
      std::stable_partition(publications.begin(), publications.end(),
                            [&](const PublicationRecord& each) { return each.owner != owner; });
  std::vector<PublicationRecord> extracted(std::make_move_iterator(kept),
                                           std::make_move_iterator(publications.end()));
  publications.erase(kept, publications.end());
  return extracted;
}

std::vector<PublicationRecord> extract_stale(std::vector<PublicationRecord>& publications,
                                             const std::vector<PublicationRecord>& fresh) {
  const auto is_current = [&](const PublicationRecord& old) {
    return std::none_of(fresh.begin(), fresh.end(), [&](const PublicationRecord& each) {
      return each.protocol == old.protocol && each.host_ip == old.host_ip &&
             each.published == old.published;
    });
  };
  const auto kept = std::stable_partition(publications.begin(), publications.end(), is_current);
  std::vector<PublicationRecord> extracted(std::make_move_iterator(kept),
                                           std::make_move_iterator(publications.end()));
  publications.erase(kept, publications.end());
  return extracted;
}

std::set<std::uint16_t> udp_ports(const std::vector<PublicationRecord>& publications,
                                  std::uint16_t PublicationRecord::*port) {
  std::set<std::uint16_t> ports;
  for (const PublicationRecord& publication : publications) {
    if (publication.protocol == "udp") ports.insert(publication.*port);
  }
  return ports;
}

}  // namespace network
