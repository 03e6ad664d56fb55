// The names of a stack: which endpoint answers to which name on which network, and what one
// container gets to see of it. Decides for every query whether it is answered here or forwarded;
// sends nothing itself. Pure: no socket and no clock, its randomness comes from the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "network/dns_message.hpp"

namespace network {

/// Seconds that a client may keep an answer: short, for replicas come and go.
inline constexpr std::uint32_t kDnsTtl = 5;

/// One container's place on one network.
struct DnsEndpoint {
  /// What the reverse lookup of its addresses says (with the network appended): the container's
  /// name.
  std::string name;
  /// What it answers to besides: service name, aliases, short id. Duplicates do no harm.
  std::vector<std::string> aliases;
  /// IPv4 and IPv6 addresses as text, without prefix length.
  std::vector<std::string> addresses;
};

/// What one container sees.
struct DnsView {
  /// The networks it is on, by name, the preferred one first: the first that knows a name answers.
  std::vector<std::string> networks;
  /// Names of its own (`links`), in key form (see dns_key): alias → name on one of its networks.
  std::map<std::string, std::string, std::less<>> links;
  /// False when all its networks are internal: what the stack does not know is SERVFAIL.
  bool forward = true;

  /// Adds to `links`. Names that no query can ask for are left out.
  void add_link(std::string_view alias, std::string_view name);
};

/// What is to be done with a query.
struct DnsAnswer {
  enum class Action { drop, reply, forward };
  Action action = Action::drop;
  /// Bytes of the reply.
  std::size_t size = 0;
};

/// The name table of a stack.
class DnsZone {
 public:
  /// `seed` chooses the order of rotation.
  explicit DnsZone(std::uint64_t seed);

  /// Makes a network known, with its subnets ("172.18.0.0/16"): reverse lookups inside are answered
  /// here and never forwarded. Replaces the subnets when it is known already. Throws os::Error when
  /// a subnet is malformed.
  void set_network(const std::string& network, const std::vector<std::string>& subnets);
  /// Forgets a network with its endpoints; content when there is none.
  void remove_network(const std::string& network);

  /// Adds the endpoint of `id` to a network, or replaces it; its names count from now on. The
  /// network is made known when it is not. Names that no query can ask for (a label past 63 bytes)
  /// are left out. Throws os::Error when an address is malformed, and then changes nothing.
  void set(const std::string& network, const std::string& id, const DnsEndpoint& endpoint);
  /// Takes the endpoint of `id` away; content when there is none.
  void remove(const std::string& network, const std::string& id);

  /// Answers `packet`, or says that it is for an upstream. The reply is written to `reply` (at
  /// least kDnsMaximumUdpSize bytes for UDP, kDnsMaximumMessageSize for TCP).
  ///
  /// A known name has every type: A and AAAA with its addresses, the others with none (NODATA;
  /// never NXDOMAIN, on which musl fails the whole lookup). Addresses rotate: each comes first as
  /// often as the others, in random order. A single label that is unknown is NXDOMAIN and never
  /// forwarded.
  DnsAnswer answer(DnsBytes packet, const DnsView& view, DnsTransport transport,
                   std::span<std::uint8_t> reply);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  template <class Value>
  using Table = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  /// Addresses of one family, with how many endpoints gave each, in the order of this round.
  struct Rotation {
    struct Entry {
      std::string address;
      std::uint32_t endpoints = 0;
    };
    std::vector<Entry> entries;
    /// Which comes first in the next answer; at 0 a new round begins.
    std::size_t next = 0;

    void add(const std::string& address);
    void remove(const std::string& address);
  };
  struct Name {
    Rotation v4;
    Rotation v6;
    std::uint32_t endpoints = 0;

    Rotation& of(const std::string& address) { return address.size() == 4 ? v4 : v6; }
  };
  struct Subnet {
    std::string address;
    std::size_t bits = 0;
  };
  /// A DnsEndpoint with names as keys and addresses as bytes, both without duplicates.
  struct Endpoint {
    std::string name;
    std::vector<std::string> names;
    std::vector<std::string> addresses;
  };
  struct Network {
    std::string key;
    /// Whether its name cannot be that of a public domain: what is below it is never forwarded.
    bool is_private = false;
    std::vector<Subnet> subnets;
    Table<Name> names;
    /// Address → names of the endpoints that have it, the latest last.
    Table<std::vector<std::string>> reverse;
    Table<Endpoint> endpoints;
  };
  /// A query under way.
  struct Request;

  static Endpoint prepare(const DnsEndpoint& endpoint);
  Network& make_network(const std::string& name);
  static void put_in(Network& network, const Endpoint& endpoint);
  static void take_out(Network& network, const Endpoint& endpoint);

  Name* find(const Request& request);
  static Name* find_on(Network& network, std::string_view key, const DnsView& view);
  bool below_private_network(std::string_view key) const;
  DnsAnswer answer_name(const Request& request);
  std::optional<DnsAnswer> answer_reverse(const Request& request);
  void add_addresses(DnsReply& reply, DnsType type, Rotation& rotation);
  std::uint64_t random() noexcept;

  Table<Network> networks_;
  std::uint64_t random_state_;
};

}  // namespace network
