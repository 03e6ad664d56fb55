#include "network/dns_zone.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "runtime/os/error.hpp"

namespace network {
namespace {

constexpr std::size_t kV4Size = 4;
constexpr std::size_t kV6Size = 16;

std::string parse_address(const std::string& text) {
  std::string address(kV4Size, '\0');
  if (::inet_pton(AF_INET, text.c_str(), address.data()) == 1) return address;
  address.resize(kV6Size);
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
  throw os::Error("'" + text + "' is not an IP address");
}

// A whole label as a number of at most `limit`.
std::optional<unsigned> parse_number(std::string_view text, int base, unsigned limit) {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stopped != end || value > limit) return std::nullopt;
  return value;
}

// The leading bits of an address that a name below in-addr.arpa or ip6.arpa stands for.
struct ReverseName {
  std::string address;
  std::size_t bits = 0;

  bool whole() const { return bits == address.size() * 8; }
};

// Reads the labels of a reverse name (RFC 1035 3.5, RFC 3596 2.5), whose first label is the last
// part of the address: `width` bits each, in numbers of `base`.
std::optional<ReverseName> parse_reverse_labels(std::string_view labels, std::size_t size,
                                                std::size_t width, int base) {
  std::array<unsigned, 2 * kV6Size> parts{};
  std::size_t count = 0;
  while (!labels.empty()) {
    const std::size_t length = static_cast<unsigned char>(labels.front());
    // A label that reaches into the zone's name: that was part of it, not labels of their own.
    if (length >= labels.size()) return std::nullopt;
    const std::string_view label = labels.substr(1, length);
    const auto part = parse_number(label, base, (1U << width) - 1);
    const bool padded = label.size() > 1 && label.front() == '0';
    if (!part || padded || count * width >= size * 8) return std::nullopt;
    parts[count++] = *part;
    labels.remove_prefix(1 + length);
  }
  ReverseName reverse{std::string(size, '\0'), count * width};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t bit = i * width;
    const unsigned shifted = parts[count - 1 - i] << (8 - width - bit % 8);
    auto& byte = reverse.address[bit / 8];
    byte = static_cast<char>(static_cast<unsigned char>(byte) | shifted);
  }
  return reverse;
}

std::optional<ReverseName> parse_reverse_name(std::string_view key) {
  constexpr std::string_view kV4Zone("\7in-addr\4arpa");
  constexpr std::string_view kV6Zone("\3ip6\4arpa");
  if (key.ends_with(kV4Zone)) {
    key.remove_suffix(kV4Zone.size());
    return parse_reverse_labels(key, kV4Size, 8, 10);
  }
  if (key.ends_with(kV6Zone)) {
    key.remove_suffix(kV6Zone.size());
    return parse_reverse_labels(key, kV6Size, 4, 16);
  }
  return std::nullopt;
}

bool same_prefix(std::string_view a, std::string_view b, std::size_t bits) {
  const std::size_t bytes = bits / 8;
  if (a.substr(0, bytes) != b.substr(0, bytes)) return false;
  if (bits % 8 == 0) return true;
  const auto difference =
      static_cast<unsigned char>(a[bytes]) ^ static_cast<unsigned char>(b[bytes]);
  return difference >> (8 - bits % 8) == 0;
}

DnsBytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Calls `visit` with the offset of every label of a key but the first, until it returns true.
template <class Visit>
void each_parent(std::string_view key, Visit&& visit) {
  std::size_t at = 0;
  while (at < key.size()) {
    at += 1 + static_cast<std::size_t>(static_cast<unsigned char>(key[at]));
    if (at < key.size() && visit(at)) return;
  }
}

}  // namespace

struct DnsZone::Request {
  const DnsQuery& query;
  const DnsView& view;
  std::size_t limit;
  std::span<std::uint8_t> reply;

  DnsAnswer error(DnsRcode rcode) const {
    return {DnsAnswer::Action::reply, write_dns_reply(query, rcode, reply)};
  }
  DnsReply start() const { return {query, DnsRcode::noerror, limit, reply}; }
  bool wants(DnsType type) const { return query.type == type || query.type == DnsType::any; }
};

void DnsView::add_link(std::string_view alias, std::string_view name) {
  const auto from = dns_key(alias);
  const auto to = dns_key(name);
  if (from && to) links[*from] = *to;
}

void DnsZone::Rotation::add(const std::string& address) {
  const auto entry = std::ranges::find(entries, address, &Entry::address);
  if (entry != entries.end()) {
    ++entry->endpoints;
  } else {
    entries.push_back({address, 1});
  }
}

void DnsZone::Rotation::remove(const std::string& address) {
  const auto entry = std::ranges::find(entries, address, &Entry::address);
  if (entry == entries.end() || --entry->endpoints > 0) return;
  // What has been first in this round stays before `next`, what has not behind it.
  if (static_cast<std::size_t>(entry - entries.begin()) < next) --next;
  entries.erase(entry);
  if (next >= entries.size()) next = 0;
}

DnsZone::DnsZone(std::uint64_t seed) : random_state_(seed) {}

DnsZone::Network& DnsZone::make_network(const std::string& name) {
  const auto [place, is_new] = networks_.try_emplace(name);
  if (is_new) {
    place->second.key = dns_key(name).value_or("");
    place->second.is_private = name.find('_') != std::string::npos;
  }
  return place->second;
}

void DnsZone::set_network(const std::string& network, const std::vector<std::string>& subnets) {
  std::vector<Subnet> parsed;
  for (const std::string& text : subnets) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    Subnet subnet{parse_address(text.substr(0, slash)), 0};
    const auto bits = parse_number(std::string_view(text).substr(std::min(slash + 1, text.size())),
                                   10, static_cast<unsigned>(subnet.address.size()) * 8);
    if (!bits) throw os::Error("'" + text + "' is not a subnet");
    subnet.bits = *bits;
    parsed.push_back(std::move(subnet));
  }
  make_network(network).subnets = std::move(parsed);
}

void DnsZone::remove_network(const std::string& network) { networks_.erase(network); }

DnsZone::Endpoint DnsZone::prepare(const DnsEndpoint& endpoint) {
  const auto make_unique = [](std::vector<std::string>& values) {
    std::ranges::sort(values);
    values.erase(std::unique(values.begin(), values.end()), values.end());
  };
  Endpoint prepared;
  prepared.name = dns_key(endpoint.name).value_or("");
  if (!prepared.name.empty()) prepared.names.push_back(prepared.name);
  for (const std::string& alias : endpoint.aliases) {
    if (auto key = dns_key(alias)) prepared.names.push_back(std::move(*key));
  }
  for (const std::string& address : endpoint.addresses) {
    prepared.addresses.push_back(parse_address(address));
  }
  make_unique(prepared.names);
  make_unique(prepared.addresses);
  return prepared;
}

void DnsZone::set(const std::string& network, const std::string& id, const DnsEndpoint& endpoint) {
  Endpoint prepared = prepare(endpoint);
  Network& place = make_network(network);
  // In before out: what stays the same keeps its turn in the rotation.
  put_in(place, prepared);
  const auto [old, is_new] = place.endpoints.try_emplace(id);
  if (!is_new) take_out(place, old->second);
  old->second = std::move(prepared);
}

void DnsZone::remove(const std::string& network, const std::string& id) {
  const auto place = networks_.find(network);
  if (place == networks_.end()) return;
  const auto endpoint = place->second.endpoints.find(id);
  if (endpoint == place->second.endpoints.end()) return;
  take_out(place->second, endpoint->second);
  place->second.endpoints.erase(endpoint);
}

void DnsZone::put_in(Network& network, const Endpoint& endpoint) {
  for (const std::string& key : endpoint.names) {
    Name& name = network.names[key];
    ++name.endpoints;
    for (const std::string& address : endpoint.addresses) name.of(address).add(address);
  }
  for (const std::string& address : endpoint.addresses) {
    network.reverse[address].push_back(endpoint.name);
  }
}

void DnsZone::take_out(Network& network, const Endpoint& endpoint) {
  for (const std::string& key : endpoint.names) {
    const auto name = network.names.find(key);
    if (name == network.names.end()) continue;
    for (const std::string& address : endpoint.addresses) name->second.of(address).remove(address);
    if (--name->second.endpoints == 0) network.names.erase(name);
  }
  for (const std::string& address : endpoint.addresses) {
    const auto reverse = network.reverse.find(address);
    if (reverse == network.reverse.end()) continue;
    const auto name = std::ranges::find(reverse->second, endpoint.name);
    if (name != reverse->second.end()) reverse->second.erase(name);
    if (reverse->second.empty()) network.reverse.erase(reverse);
  }
}

DnsZone::Name* DnsZone::find_on(Network& network, std::string_view key, const DnsView& view) {
  const auto link = view.links.find(key);
  if (link != view.links.end()) key = link->second;
  const auto name = network.names.find(key);
  return name == network.names.end() ? nullptr : &name->second;
}

DnsZone::Name* DnsZone::find(const Request& request) {
  const std::string_view key = request.query.key();
  for (const std::string& network : request.view.networks) {
    const auto place = networks_.find(network);
    if (place == networks_.end()) continue;
    if (Name* name = find_on(place->second, key, request.view)) return name;
  }
  Name* found = nullptr;
  each_parent(key, [&](std::size_t at) {
    for (const std::string& network : request.view.networks) {
      const auto place = networks_.find(network);
      if (place == networks_.end() || place->second.key != key.substr(at)) continue;
      found = find_on(place->second, key.substr(0, at), request.view);
    }
    return found != nullptr;
  });
  return found;
}

bool DnsZone::below_private_network(std::string_view key) const {
  bool found = false;
  each_parent(key, [&](std::size_t at) {
    found = std::ranges::any_of(networks_, [&](const auto& entry) {
      return entry.second.is_private && entry.second.key == key.substr(at);
    });
    return found;
  });
  return found;
}

DnsAnswer DnsZone::answer(DnsBytes packet, const DnsView& view, DnsTransport transport,
                          std::span<std::uint8_t> reply) {
  const std::optional<DnsQuery> query = parse_dns_query(packet);
  if (!query) return {};
  const Request request{*query, view, query->reply_limit(transport), reply};
  if (query->rcode != DnsRcode::noerror) return request.error(query->rcode);
  if (const auto answer = answer_reverse(request)) return *answer;
  return answer_name(request);
}

DnsAnswer DnsZone::answer_name(const Request& request) {
  const DnsQuery& query = request.query;
  if (Name* name = find(request)) {
    DnsReply reply = request.start();
    if (request.wants(DnsType::a)) add_addresses(reply, DnsType::a, name->v4);
    if (request.wants(DnsType::aaaa)) add_addresses(reply, DnsType::aaaa, name->v6);
    return {DnsAnswer::Action::reply, reply.finish()};
  }
  if (query.labels == 1 || below_private_network(query.key())) {
    return request.error(DnsRcode::nxdomain);
  }
  if (!request.view.forward) return request.error(DnsRcode::servfail);
  // A zone transfer is many messages; a forwarder of single ones must not start it.
  if (query.type == DnsType::axfr || query.type == DnsType::ixfr) {
    return request.error(DnsRcode::refused);
  }
  return {DnsAnswer::Action::forward, 0};
}

std::optional<DnsAnswer> DnsZone::answer_reverse(const Request& request) {
  const auto asked = parse_reverse_name(request.query.key());
  if (!asked) return std::nullopt;
  for (const std::string& network : request.view.networks) {
    const auto place = networks_.find(network);
    if (!asked->whole() || place == networks_.end()) continue;
    const auto names = place->second.reverse.find(asked->address);
    if (names == place->second.reverse.end()) continue;
    DnsReply reply = request.start();
    const std::string& name = names->second.back();
    if (request.wants(DnsType::ptr) && !name.empty()) {
      reply.add_pointer(kDnsTtl, name + place->second.key);
    }
    return DnsAnswer{DnsAnswer::Action::reply, reply.finish()};
  }
  const auto covers = [&](const Subnet& subnet) {
    return subnet.address.size() == asked->address.size() && subnet.bits <= asked->bits &&
           same_prefix(subnet.address, asked->address, subnet.bits);
  };
  const bool ours = std::ranges::any_of(networks_, [&](const auto& entry) {
    return std::ranges::any_of(entry.second.subnets, covers);
  });
  if (!ours) return std::nullopt;
  return request.error(asked->whole() ? DnsRcode::nxdomain : DnsRcode::noerror);
}

void DnsZone::add_addresses(DnsReply& reply, DnsType type, Rotation& rotation) {
  auto& entries = rotation.entries;
  const std::size_t count = entries.size();
  if (count == 0) return;
  if (rotation.next == 0) {
    for (std::size_t i = count - 1; i > 0; --i) std::swap(entries[i], entries[random() % (i + 1)]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto& entry = entries[(rotation.next + i) % count];
    if (!reply.add_address(type, kDnsTtl, as_bytes(entry.address))) break;
  }
  rotation.next = (rotation.next + 1) % count;
}

// splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators"). It only orders
// answers; ids of queries come from the kernel.
std::uint64_t DnsZone::random() noexcept {
  std::uint64_t z = (random_state_ += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

}  // namespace network
