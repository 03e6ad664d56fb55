// The network of a running project: addresses, interfaces, ports and names of its containers.
// Kernel work goes, in order, to one thread of its own; names are answered on the supervisor's
// loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "network/dns_server.hpp"
#include "network/network.hpp"
#include "orchestrator/paths.hpp"
#include "orchestrator/record.hpp"
#include "orchestrator/shared_names.hpp"
#include "orchestrator/shared_networks.hpp"
#include "orchestrator/waiting.hpp"

namespace orchestrator {

class Fabric {
 public:
  Fabric(boost::asio::io_context& io, const Paths& paths, std::string project);
  ~Fabric();

  /// Makes the stack's networks be there. Nothing is made for a stack that has none. Those that it
  /// shares with others must be there; throws os::Error for one that is not. Addresses can be
  /// leased when it returns; bridges and rules are made meanwhile, and are there before anything is
  /// attached or published.
  Task<> ensure(manifests::Stack stack);
  /// Returns when all of it is there; throws what went wrong.
  Task<> settle();
  /// Completes the stack's external networks by what they are. Throws as ensure().
  void resolve(manifests::Stack& stack) const;
  /// Opens what an earlier supervisor made, if anything.
  Task<> adopt();
  /// From here on what containers have in the stack's own networks stays for remove(), which takes
  /// all of it at once: to take out one interface alone costs a grace period of the kernel.
  void leave() { leaving_ = true; }
  /// It does not come to remove(): takes out what those had who were released since leave().
  Task<> stay();
  /// Gives everything back to the kernel. Networks may be made again afterwards.
  Task<> remove();
  bool exists() const { return network_ != nullptr; }

  /// The container's addresses; the same at every call until release().
  Task<std::vector<network::Address>> lease(std::string container,
                                            std::vector<network::EndpointSpec> endpoints);
  Task<> release(std::string container);

  /// Publishes ports; see network::Network::publish.
  Task<network::Published> publish(std::string container,
                                   std::vector<network::EndpointSpec> endpoints,
                                   std::vector<network::PublishSpec> ports);
  Task<> unpublish(std::string container);

  /// Puts the interfaces into the namespace of process `pid` and opens DNS there.
  Task<> attach(std::string container, pid_t pid, std::vector<network::EndpointSpec> endpoints,
                network::DnsPolicy policy);
  /// DNS only: for a container that an earlier supervisor attached.
  Task<> serve_names(std::string container, pid_t pid, network::DnsPolicy policy);
  Task<> detach(std::string container);

  /// Names of a running container, one entry per network.
  void announce(const std::string& container,
                const std::vector<std::pair<std::string, network::DnsEndpoint>>& endpoints);
  void withdraw(const std::string& container);

  /// The host's address as containers reach it; empty without a network.
  std::string host_gateway() const;

 private:
  void answer_names(const std::string& container, pid_t pid, network::DnsSockets sockets,
                    network::DnsPolicy policy);
  void describe_networks();
  void advance();
  /// Whether the network is one that stacks share, and not this stack's own.
  bool is_shared(const std::string& network) const { return !own_.contains(network); }
  std::vector<network::EndpointSpec> arranged(std::vector<network::EndpointSpec> endpoints) const;
  Task<> open_shared(std::string network);
  void watch_firewall();
  Task<> restore_firewall();
  void use_where_known(const std::string& container,
                       const std::function<void(network::Network&, const std::string&)>& work);
  SharedOwner owner(const std::string& container) const { return {project_, container}; }

  Paths paths_;
  std::string project_;
  boost::asio::any_io_executor executor_;
  std::unique_ptr<network::Network> network_;
  std::set<std::string> own_;  ///< names of the stack's own networks
  SharedNetworks shared_;
  std::string shared_gateway_;  ///< the host's address by a shared network
  network::DnsServer dns_;
  SharedNames shared_names_;
  std::map<std::string, std::vector<std::string>> announced_;      ///< container → networks
  std::optional<boost::asio::posix::stream_descriptor> firewall_;  ///< once there is a network
  bool restoring_ = false;
  bool leaving_ = false;
  std::vector<std::string> left_;  ///< containers released since leave()
  boost::asio::thread_pool kernel_{1};
};

}  // namespace orchestrator
