#include "orchestrator/fabric.hpp"

#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "network/firewall_watch.hpp"
#include "network/subnet.hpp"
#include "orchestrator/endpoints.hpp"
#include "orchestrator/log.hpp"
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

std::vector<std::string> subnets_of(const network::NetworkState& state) {
  std::vector<std::string> subnets;
  for (const std::string* subnet : {&state.subnet4, &state.subnet6})
    if (!subnet->empty()) subnets.push_back(*subnet);
  return subnets;
}

}  // namespace

Fabric::Fabric(boost::asio::io_context& io, const Paths& paths, std::string project)
    : paths_(paths),
      project_(std::move(project)),
      executor_(io.get_executor()),
      shared_(paths),
      dns_(io),
      shared_names_(io, shared_, dns_.zone()) {}

Fabric::~Fabric() { kernel_.join(); }

void Fabric::resolve(manifests::Stack& stack) const {
  std::set<std::string> names;
  for (auto& [key, network] : stack.networks) {
    if (!names.insert(network.name).second)
      throw os::Error("network " + network.name + " is declared twice");
    if (!network.external) continue;
    const auto found = shared_.find(network.name);
    if (!found)
      throw os::Error("network " + network.name +
                      " declared as external, but could not be found: `stack network create " +
                      network.name + "` makes it");
    network.internal = found->spec.internal;
    network.enable_ipv4 = found->spec.enable_ipv4;
    network.enable_ipv6 = found->spec.enable_ipv6;
  }
}

Task<> Fabric::ensure(manifests::Stack stack) {
  resolve(stack);
  const std::vector<network::NetworkSpec> specs = network_specs(stack);
  if (!specs.empty() || network_) {
    auto work = [this, specs] {
      if (!network_)
        network_ =
            std::make_unique<network::Network>(paths_.run, project_, network::Network::Work::later);
      network_->ensure(specs);
    };
    co_await blocking(kernel_, std::move(work));
    describe_networks();
  }
  for (const auto& [key, network] : stack.networks)
    if (network.external) co_await open_shared(network.name);
}

/// Once the first containers know their addresses and begin; a piece at a time, so that a later
/// lease waits for one of them at most.
void Fabric::advance() {
  boost::asio::post(kernel_, [this] {
    try {
      if (network_ && network_->advance()) advance();
    } catch (const std::exception&) {
      // Whoever needs the piece does it again, and can say what went wrong.
    }
  });
}

Task<> Fabric::settle() {
  auto work = [this] {
    if (network_) network_->settle();
  };
  co_await blocking(kernel_, std::move(work));
}

Task<> Fabric::open_shared(std::string name) {
  if (shared_names_.follows(name)) co_return;
  network::NetworkState state;
  std::string gateway;
  auto work = [this, name, &state, &gateway] {
    shared_.use(name, [&](network::Network& network) {
      state = network.networks().at(0);
      gateway = network.host_gateway();
    });
  };
  co_await blocking(kernel_, std::move(work));
  if (!firewall_) watch_firewall();
  shared_gateway_ = gateway;
  dns_.zone().set_network(name, subnets_of(state));
  shared_names_.follow(name);
}

Task<> Fabric::adopt() {
  if (network_ || !network::Network::exists(paths_.run, project_)) co_return;
  auto work = [this] { network_ = std::make_unique<network::Network>(paths_.run, project_); };
  co_await blocking(kernel_, std::move(work));
  describe_networks();
}

/// Whoever loads the host's firewall anew takes our table with the rest of it.
void Fabric::watch_firewall() {
  if (!firewall_) {
    network::FirewallWatch watch;
    firewall_.emplace(executor_, watch.release().release());
  }
  firewall_->async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [this](const boost::system::error_code& failed) {
        if (failed) return;
        const bool lost = network::FirewallWatch::take_from(firewall_->native_handle());
        if (lost && !std::exchange(restoring_, true))
          boost::asio::co_spawn(executor_, restore_firewall(), boost::asio::detached);
        watch_firewall();
      });
}

Task<> Fabric::restore_firewall() {
  auto work = [run = paths_.run] { network::Network::restore_host_firewall(run); };
  try {
    restoring_ = false;  // what is lost from here on is seen to again
    co_await blocking(kernel_, std::move(work));
  } catch (const std::exception& error) {
    log_error(error.what());
  }
}

void Fabric::describe_networks() {
  if (!firewall_) watch_firewall();
  own_.clear();
  for (const network::NetworkState& state : network_->networks()) {
    own_.insert(state.spec.name);
    dns_.zone().set_network(state.spec.name, subnets_of(state));
  }
}

std::vector<network::EndpointSpec> Fabric::arranged(
    std::vector<network::EndpointSpec> endpoints) const {
  return arrange(std::move(endpoints), [this](const std::string& name) { return is_shared(name); });
}

/// Runs on the kernel's thread.
void Fabric::use_where_known(
    const std::string& container,
    const std::function<void(network::Network&, const std::string&)>& work) {
  const SharedOwner mine = owner(container);
  for (const std::string& name : shared_.used_by(mine))
    shared_.use(name, [&](network::Network& network) { work(network, mine.text()); });
}

Task<> Fabric::stay() {
  leaving_ = false;
  for (const std::string& container : std::exchange(left_, {})) co_await release(container);
}

Task<> Fabric::remove() {
  leaving_ = false;
  left_.clear();
  if (!network_ && !network::Network::exists(paths_.run, project_)) co_return;
  auto work = [this] {
    if (!network_) network_ = std::make_unique<network::Network>(paths_.run, project_);
    const auto network = std::move(network_);
    network->remove();
  };
  co_await blocking(kernel_, std::move(work));
  own_.clear();
}

namespace {

/// Those of a container's endpoints that are in the stack's own namespace, or those that are not.
std::vector<network::EndpointSpec> chosen(
    const std::vector<network::EndpointSpec>& endpoints,
    const std::function<bool(const std::string&)>& is_wanted) {
  std::vector<network::EndpointSpec> result;
  for (const network::EndpointSpec& endpoint : endpoints)
    if (is_wanted(endpoint.network)) result.push_back(endpoint);
  return result;
}

/// Namespaces choose their subnets each for itself; one container cannot tell the same one apart.
void refuse_overlaps(const std::vector<network::Address>& addresses) {
  const auto subnet = [](const network::Address& address, bool v4) {
    return network::Subnet::parse(v4 ? address.ipv4 + "/" + std::to_string(address.prefix4)
                                     : address.ipv6 + "/" + std::to_string(address.prefix6));
  };
  for (std::size_t i = 0; i < addresses.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      for (const bool v4 : {true, false}) {
        const auto one = subnet(addresses[j], v4);
        const auto other = subnet(addresses[i], v4);
        if (one && other && one->overlaps(*other))
          throw os::Error("networks " + addresses[j].network + " (" + one->to_string() + ") and " +
                          addresses[i].network + " (" + other->to_string() +
                          ") overlap: give one of them another subnet");
      }
}

}  // namespace

Task<std::vector<network::Address>> Fabric::lease(std::string container,
                                                  std::vector<network::EndpointSpec> endpoints) {
  if (endpoints.empty()) co_return std::vector<network::Address>{};
  endpoints = arranged(std::move(endpoints));
  const auto own = chosen(endpoints, [this](const std::string& name) { return !is_shared(name); });
  const auto shared =
      chosen(endpoints, [this](const std::string& name) { return is_shared(name); });
  for (const network::EndpointSpec& endpoint : shared) co_await open_shared(endpoint.network);
  auto work = [this, container, own, shared] {
    std::vector<network::Address> addresses;
    if (!own.empty()) addresses = network_->lease(container, own);
    for (const network::EndpointSpec& endpoint : shared)
      shared_.use(endpoint.network, [&](network::Network& network) {
        addresses.push_back(network.lease(owner(container).text(), {endpoint}).at(0));
      });
    return addresses;
  };
  std::vector<network::Address> leased = co_await blocking(kernel_, std::move(work));
  if (!own.empty()) advance();
  if (!shared.empty()) refuse_overlaps(leased);
  std::vector<network::Address> ordered;
  for (const network::EndpointSpec& endpoint : endpoints)
    ordered.push_back(*std::find_if(
        leased.begin(), leased.end(),
        [&](const network::Address& address) { return address.network == endpoint.network; }));
  co_return ordered;
}

Task<> Fabric::release(std::string container) {
  if (leaving_) left_.push_back(container);
  auto work = [this, container, alone = !leaving_] {
    if (network_ && alone) network_->release(container);
    use_where_known(container, [](network::Network& network, const std::string& owner) {
      network.release(owner);
    });
  };
  co_await blocking(kernel_, std::move(work));
}

Task<network::Published> Fabric::publish(std::string container,
                                         std::vector<network::EndpointSpec> endpoints,
                                         std::vector<network::PublishSpec> ports) {
  if (ports.empty()) co_return network::Published{};
  const auto way_out = std::find_if(endpoints.begin(), endpoints.end(),
                                    [](const auto& endpoint) { return endpoint.default_route; });
  if (way_out != endpoints.end() && is_shared(way_out->network)) {
    auto work = [this, container, ports, name = way_out->network] {
      network::Published published;
      shared_.use(name, [&](network::Network& network) {
        published = network.publish(owner(container).text(), ports);
      });
      return published;
    };
    co_return co_await blocking(kernel_, std::move(work));
  }
  if (!network_) co_return network::Published{};
  auto work = [this, container, ports] { return network_->publish(container, ports); };
  co_return co_await blocking(kernel_, std::move(work));
}

Task<> Fabric::unpublish(std::string container) {
  auto work = [this, container, alone = !leaving_] {
    if (network_ && alone) network_->unpublish(container);
    use_where_known(container, [](network::Network& network, const std::string& owner) {
      network.unpublish(owner);
    });
  };
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
  endpoints = arranged(std::move(endpoints));
  const auto own = chosen(endpoints, [this](const std::string& name) { return !is_shared(name); });
  const auto shared =
      chosen(endpoints, [this](const std::string& name) { return is_shared(name); });
  auto work = [this, container, pid, own, shared] {
    const os::UniqueFd netns = os::open_namespace(namespace_of(pid));
    if (!own.empty()) network_->attach(container, netns.get(), own);
    for (const network::EndpointSpec& endpoint : shared)
      shared_.use(endpoint.network, [&](network::Network& network) {
        network.attach(owner(container).text(), netns.get(), {endpoint});
      });
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
  auto work = [this, container, alone = !leaving_] {
    if (network_ && alone) network_->detach(container);
    use_where_known(container, [](network::Network& network, const std::string& owner) {
      network.detach(owner);
    });
  };
  co_await blocking(kernel_, std::move(work));
}

void Fabric::announce(const std::string& container,
                      const std::vector<std::pair<std::string, network::DnsEndpoint>>& endpoints) {
  withdraw(container);
  for (const auto& [network, endpoint] : endpoints) {
    if (is_shared(network)) {
      shared_.announce(network, owner(container), endpoint);
      shared_names_.refresh(network);
      continue;
    }
    dns_.zone().set(network, container, endpoint);
    announced_[container].push_back(network);
  }
}

void Fabric::withdraw(const std::string& container) {
  for (const std::string& network : shared_.used_by(owner(container))) {
    shared_.withdraw(network, owner(container));
    if (shared_names_.follows(network)) shared_names_.refresh(network);
  }
  const auto found = announced_.find(container);
  if (found == announced_.end()) return;
  for (const std::string& network : found->second) dns_.zone().remove(network, container);
  announced_.erase(found);
}

std::string Fabric::host_gateway() const {
  return network_ ? network_->host_gateway() : shared_gateway_;
}

}  // namespace orchestrator
