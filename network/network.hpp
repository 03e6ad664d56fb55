// The network of one stack: a network namespace of its own that holds its bridges and its firewall,
// joined to the host by one uplink. The host is whatever network namespace the calling thread is
// in. Knows networks, endpoints and ports, not containers: an endpoint's owner is just a name.
//
//   host                              | the stack's namespace            | an endpoint's namespace
//   eth0 -- table inet stack -- stHASH --veth-- uplink -- table inet stack -- br -- vHASH --veth--
//   eth0
//
// Calls block; they are never made concurrently for one project. Everything that is made is written
// to the record first, so that what a crash leaves half made is finished or undone by the next
// Network of the project.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/os/fd.hpp"

namespace network {

/// One `ipam.config` entry: a subnet and what of it may be handed out.
struct Pool {
  std::string subnet;                      ///< CIDR; "" lets the network choose
  std::string gateway;                     ///< "" means the first host address
  std::string ip_range;                    ///< CIDR inside `subnet`; "" means all of it
  std::vector<std::string> aux_addresses;  ///< never handed out
  bool operator==(const Pool&) const = default;
};

struct NetworkSpec {
  std::string name;
  std::vector<Pool> pools;  ///< at most one per address family
  bool internal = false;    ///< no way out, no published ports
  bool enable_ipv4 = true;
  bool enable_ipv6 = false;  ///< without a pool of that family a unique local /64 is chosen
  bool icc = true;           ///< whether endpoints of this network reach each other
  bool masquerade = true;    ///< whether outbound traffic takes the host's address
  std::optional<int> mtu;    ///< that of the host's default route when absent
  std::string bridge_name;   ///< "" means a name made from the network's
  bool operator==(const NetworkSpec&) const = default;
};

/// A network as it is.
struct NetworkState {
  NetworkSpec spec;
  std::string bridge;
  std::string subnet4, gateway4;  ///< "" without IPv4
  std::string subnet6, gateway6;  ///< "" without IPv6
  /// Whether the host has routes into the subnets: not when something of the host's overlaps them.
  bool routed_from_host = false;
};

/// What an owner wants of one network.
struct EndpointSpec {
  std::string network;              ///< NetworkSpec::name
  std::string interface;            ///< "" means the next free ethN
  std::optional<std::string> ipv4;  ///< only on networks with a pool that names its subnet
  std::optional<std::string> ipv6;
  std::optional<std::string> mac;
  bool default_route =
      false;  ///< at most one of an owner's endpoints; ignored on internal networks
  bool no_default_route = false;        ///< never leads out, even when no other endpoint does
  std::vector<std::string> link_local;  ///< further addresses of the interface
  /// Of the interface ("net.ipv4.conf.IFNAME.log_martians"), with their values.
  std::map<std::string, std::string> sysctls;
};

/// The addresses of an owner on one network. Absent ones are "".
struct Address {
  std::string network;
  std::string interface;
  std::string ipv4, gateway4;
  int prefix4 = 0;
  std::string ipv6, gateway6;
  int prefix6 = 0;
  std::string mac;
};

/// Sockets bound to 127.0.0.11 inside an endpoint's namespace; port 53 there leads to them.
struct DnsSockets {
  os::UniqueFd udp;
  os::UniqueFd tcp;  ///< listening
};

/// A port to publish. `published_first` 0 means any free port; a range means its first free port.
struct PublishSpec {
  std::string host_ip;  ///< "" means every address of the host, IPv4 and IPv6
  std::uint16_t published_first = 0;
  std::uint16_t published_last = 0;  ///< equal to, or 0 like, `published_first` for one port
  std::uint16_t target = 0;
  std::string protocol = "tcp";  ///< tcp, udp or sctp
};

struct PublishedPort {
  std::string host_ip;  ///< "0.0.0.0" and "::" are two entries
  std::uint16_t published = 0;
  std::uint16_t target = 0;
  std::string protocol;
  bool operator==(const PublishedPort&) const = default;
};

/// A socket whose traffic a process on the host passes on to `to`: address translation cannot
/// reach it ("::1", IPv6 to an endpoint without IPv6).
struct Relay {
  std::string protocol;
  os::UniqueFd socket;  ///< tcp: listening; udp: bound
  std::string to;       ///< "ADDRESS:PORT", reachable from the host's namespace
};

/// What keeps ports published: while `reservations` and the relays' sockets are open no other
/// program can take them.
struct Published {
  std::vector<PublishedPort> ports;
  std::vector<os::UniqueFd> reservations;
  std::vector<Relay> relays;
};

class Network {
 public:
  /// Whether the project has a namespace or a record of one.
  static bool exists(const std::string& run_dir, const std::string& project);
  /// The projects that have one, sorted.
  static std::vector<std::string> projects(const std::string& run_dir);

  /// Takes away all that is there of a project's network, however broken, without opening it.
  static void discard(const std::string& run_dir, const std::string& project);

  /// Makes what the host's firewall has of all stacks again, after somebody took it away. Throws
  /// os::Error.
  static void restore_host_firewall(const std::string& run_dir);

  /// When the kernel is told what ensure() has decided: before it returns; or by later calls, so
  /// that addresses can be leased, and what they are needed for can begin, meanwhile.
  enum class Work { now, later };
  /// Opens the project's network or creates it: namespace, uplink, firewall. Throws os::Error.
  Network(std::string run_dir, std::string project, Work work = Work::now);
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  /// Makes the networks be exactly these: creates those that are missing, removes those that are
  /// not listed and remakes those whose spec changed, which loses their leases. Throws os::Error
  /// naming the network: a bad or overlapping subnet, no free subnet.
  void ensure(const std::vector<NetworkSpec>& specs);
  /// Does a piece of the work that was left for later; whether more is left. Throws os::Error, and
  /// has the piece still to do then.
  bool advance();
  /// Does all of it. attach() and publish() do so first.
  void settle();
  std::vector<NetworkState> networks() const;
  /// Who has leases, each once.
  std::vector<std::string> owners() const;

  /// The owner's addresses, in the order of `endpoints`. An owner keeps its address on a network
  /// until release(); a fixed address that differs from it replaces it. Throws os::Error: an
  /// address that is in use or outside its subnet, an exhausted pool, an unknown network.
  /// A lease is written down with the first attach() after it, or by save().
  std::vector<Address> lease(const std::string& owner, const std::vector<EndpointSpec>& endpoints);
  void save();
  /// Gives the owner's addresses back; what is attached or published is taken away first.
  void release(const std::string& owner);

  /// Puts the owner's interfaces into the namespace, with addresses and routes, loopback up. Leases
  /// what is not leased yet. Nothing is left of it when it throws.
  void attach(const std::string& owner, int netns, const std::vector<EndpointSpec>& endpoints);
  /// Removes the owner's interfaces wherever they are; its leases stay.
  void detach(const std::string& owner);

  /// Opens the sockets for a DNS server in the namespace and leads 127.0.0.11:53 to them, instead
  /// of to those of an earlier call. Programs there may still bind port 53 themselves.
  static DnsSockets open_dns(int netns);
  /// Brings loopback up: all the network that a namespace without endpoints has.
  static void set_up_loopback(int netns);

  /// Publishes ports of the owner, which has leases, on the host: all or none. Replaces what the
  /// owner published before. On an owner with internal networks only nothing is published. Throws
  /// os::Error(EADDRINUSE) "Bind for ADDRESS:PORT failed: port is already allocated" with the
  /// holder where it can be seen.
  Published publish(const std::string& owner, const std::vector<PublishSpec>& ports);
  void unpublish(const std::string& owner);
  /// What the owner has published, also by an earlier Network of the project.
  std::vector<PublishedPort> published(const std::string& owner) const;

  /// The host's address as the stack's endpoints reach it.
  std::string host_gateway() const;
  int netns_fd() const;

  /// Takes everything away: ports, routes, uplink, namespace, record. The object is of no use
  /// after it. Goes on past failures and throws the first.
  void remove();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace network
