// The network of a running project: addresses, interfaces, ports and names of its containers.
// Kernel work goes, in order, to one thread of its own; names are answered on the supervisor's
// loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "network/dns_server.hpp"
#include "network/network.hpp"
#include "orchestrator/paths.hpp"
#include "orchestrator/record.hpp"
#include "orchestrator/waiting.hpp"

namespace orchestrator {

class Fabric {
 public:
  Fabric(boost::asio::io_context& io, const Paths& paths, std::string project);
  ~Fabric();

  /// Makes the stack's networks be there. Nothing is made for a stack that has none.
  Task<> ensure(manifests::Stack stack);
  /// Opens what an earlier supervisor made, if anything.
  Task<> adopt();
  /// Gives everything back to the kernel. Networks may be made again afterwards.
  Task<> remove();
  bool exists() const { return network_ != nullptr; }

  /// The container's addresses; the same at every call until release().
  Task<std::vector<network::Address>> lease(std::string container,
                                            std::vector<network::EndpointSpec> endpoints);
  Task<> release(std::string container);

  /// Publishes ports; see network::Network::publish.
  Task<network::Published> publish(std::string container, std::vector<network::PublishSpec> ports);
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

  Paths paths_;
  std::string project_;
  std::unique_ptr<network::Network> network_;
  network::DnsServer dns_;
  std::map<std::string, std::vector<std::string>> announced_;  ///< container → networks
  boost::asio::thread_pool kernel_{1};
};

}  // namespace orchestrator
