#include "orchestrator/fabric.hpp"

#include <sys/socket.h>

#include "orchestrator/endpoints.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/namespace.hpp"

namespace orchestrator {

namespace {

std::string namespace_of(pid_t pid) { return "/proc/" + std::to_string(pid) + "/ns/net"; }

/// Sockets for queries to resolvers of the container's own choice: they leave from its namespace.
network::DnsSocketFactory sockets_in(pid_t pid) {
  auto ns = std::make_shared<os::UniqueFd>(os::open_namespace(namespace_of(pid)));
  return [ns](int domain, int type) {
    os::UniqueFd made;
    os::in_network_namespace(ns->get(), [&] {
      made.reset(os::check(::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                           [] { return std::string("make a socket"); }));
    });
    return made;
  };
}

}  // namespace

Fabric::Fabric(boost::asio::io_context& io, const Paths& paths, std::string project)
    : paths_(paths), project_(std::move(project)), dns_(io) {}

Fabric::~Fabric() { kernel_.join(); }

Task<> Fabric::ensure(manifests::Stack stack) {
  const std::vector<network::NetworkSpec> specs = network_specs(stack);
  if (specs.empty() && !network_) co_return;
  auto work = [this, specs] {
    if (!network_) network_ = std::make_unique<network::Network>(paths_.run, project_);
    network_->ensure(specs);
  };
  co_await blocking(kernel_, std::move(work));
  describe_networks();
}

Task<> Fabric::adopt() {
  if (network_ || !network::Network::exists(paths_.run, project_)) co_return;
  auto work = [this] { network_ = std::make_unique<network::Network>(paths_.run, project_); };
  co_await blocking(kernel_, std::move(work));
  describe_networks();
}

void Fabric::describe_networks() {
  for (const network::NetworkState& state : network_->networks()) {
    std::vector<std::string> subnets;
    for (const std::string* subnet : {&state.subnet4, &state.subnet6})
      if (!subnet->empty()) subnets.push_back(*subnet);
    dns_.zone().set_network(state.spec.name, subnets);
  }
}

Task<> Fabric::remove() {
  if (!network_ && !network::Network::exists(paths_.run, project_)) co_return;
  auto work = [this] {
    if (!network_) network_ = std::make_unique<network::Network>(paths_.run, project_);
    const auto network = std::move(network_);
    network->remove();
  };
  co_await blocking(kernel_, std::move(work));
}

Task<std::vector<network::Address>> Fabric::lease(std::string container,
                                                  std::vector<network::EndpointSpec> endpoints) {
  if (endpoints.empty()) co_return std::vector<network::Address>{};
  auto work = [this, container, endpoints] { return network_->lease(container, endpoints); };
  co_return co_await blocking(kernel_, std::move(work));
}

Task<> Fabric::release(std::string container) {
  if (!network_) co_return;
  auto work = [this, container] { network_->release(container); };
  co_await blocking(kernel_, std::move(work));
}

Task<network::Published> Fabric::publish(std::string container,
                                         std::vector<network::PublishSpec> ports) {
  if (!network_ || ports.empty()) co_return network::Published{};
  auto work = [this, container, ports] { return network_->publish(container, ports); };
  co_return co_await blocking(kernel_, std::move(work));
}

Task<> Fabric::unpublish(std::string container) {
  if (!network_) co_return;
  auto work = [this, container] { network_->unpublish(container); };
  co_await blocking(kernel_, std::move(work));
}

Task<> Fabric::attach(std::string container, pid_t pid,
                      std::vector<network::EndpointSpec> endpoints, network::DnsPolicy policy) {
  if (endpoints.empty()) {
    auto loopback = [pid] {
      network::Network::set_up_loopback(os::open_namespace(namespace_of(pid)).get());
    };
    co_await blocking(kernel_, std::move(loopback));
    co_return;
  }
  auto work = [this, container, pid, endpoints] {
    const os::UniqueFd netns = os::open_namespace(namespace_of(pid));
    network_->attach(container, netns.get(), endpoints);
    return network::Network::open_dns(netns.get());
  };
  network::DnsSockets sockets = co_await blocking(kernel_, std::move(work));
  answer_names(container, pid, std::move(sockets), std::move(policy));
}

Task<> Fabric::serve_names(std::string container, pid_t pid, network::DnsPolicy policy) {
  auto work = [pid] {
    return network::Network::open_dns(os::open_namespace(namespace_of(pid)).get());
  };
  network::DnsSockets sockets = co_await blocking(kernel_, std::move(work));
  answer_names(container, pid, std::move(sockets), std::move(policy));
}

void Fabric::answer_names(const std::string& container, pid_t pid, network::DnsSockets sockets,
                          network::DnsPolicy policy) {
  if (!policy.resolvers.servers.empty()) policy.resolvers.open_socket = sockets_in(pid);
  dns_.add(container, std::move(sockets.udp), std::move(sockets.tcp), std::move(policy));
}

Task<> Fabric::detach(std::string container) {
  dns_.remove(container);
  if (!network_) co_return;
  auto work = [this, container] { network_->detach(container); };
  co_await blocking(kernel_, std::move(work));
}

void Fabric::announce(const std::string& container,
                      const std::vector<std::pair<std::string, network::DnsEndpoint>>& endpoints) {
  withdraw(container);
  for (const auto& [network, endpoint] : endpoints) {
    dns_.zone().set(network, container, endpoint);
    announced_[container].push_back(network);
  }
}

void Fabric::withdraw(const std::string& container) {
  const auto found = announced_.find(container);
  if (found == announced_.end()) return;
  for (const std::string& network : found->second) dns_.zone().remove(network, container);
  announced_.erase(found);
}

std::string Fabric::host_gateway() const { return network_ ? network_->host_gateway() : ""; }

}  // namespace orchestrator
