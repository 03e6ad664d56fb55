// Networks that stacks share: each has a network namespace of its own, which containers of any
// stack reach by a veth. Made by `stack network create`, used by `external: true`. Several
// supervisors work on one: each of its changes is made alone on this machine, from what is written
// down.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "network/dns_zone.hpp"
#include "network/network.hpp"
#include "orchestrator/paths.hpp"

namespace orchestrator {

/// `networks/NAME.json` below the data directory: what a reboot keeps of a shared network.
struct SharedNetwork {
  network::NetworkSpec spec;
  std::map<std::string, std::string> labels;
  std::string created_at;
};

/// A container on a shared network, as its leases there name it.
struct SharedOwner {
  std::string project;
  std::string container;  ///< short id

  std::string text() const { return project + "." + container; }
  static SharedOwner parse(const std::string& text);
};

/// Calls block. Errors are os::Error.
class SharedNetworks {
 public:
  explicit SharedNetworks(Paths paths) : paths_(std::move(paths)) {}

  /// A name is one path component: [a-zA-Z0-9][a-zA-Z0-9_.-]*; throws for any other.
  std::optional<SharedNetwork> find(const std::string& name) const;
  std::vector<SharedNetwork> list() const;
  /// Writes it down and makes it in the kernel, or neither. Throws when there is one of that name,
  /// or for what network::Network::ensure refuses.
  void create(SharedNetwork network);
  /// Throws when a container that exists is on it.
  void remove(const std::string& name);

  /// Has `work` done on the network while nobody else works on any shared one. What a reboot took
  /// of it is made anew first. Throws when there is none of that name.
  void use(const std::string& name, const std::function<void(network::Network&)>& work);
  /// What it is now; its subnets are those that were chosen. Nothing when there is none.
  std::optional<network::NetworkState> state(const std::string& name);

  /// The containers that have a lease on it; those that are gone from the disk do not count.
  std::vector<SharedOwner> users(const std::string& name) const;
  /// The networks where `owner` has a lease, or, with no container, any of its project.
  std::vector<std::string> used_by(const SharedOwner& owner) const;

  // ---- the names that containers answer to there, for the supervisors of all stacks to read
  void announce(const std::string& name, const SharedOwner& owner,
                const network::DnsEndpoint& endpoint);
  void withdraw(const std::string& name, const SharedOwner& owner);
  std::map<std::string, network::DnsEndpoint> names(const std::string& name) const;
  /// A file of it changes with every change of names().
  std::string names_directory(const std::string& name) const;

 private:
  std::string definition(const std::string& name) const;

  Paths paths_;
};

}  // namespace orchestrator
