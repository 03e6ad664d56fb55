#include "orchestrator/build_network.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <mutex>
#include <thread>

#include "network/dns_server.hpp"
#include "network/network.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/file.hpp"

namespace orchestrator {

namespace {

constexpr const char* kNetwork = "build";

/// A new network namespace, alive as long as the descriptor or a process in it.
os::UniqueFd make_namespace() {
  os::UniqueFd made;
  std::exception_ptr failure;
  std::thread thread([&] {
    try {
      os::check(::unshare(CLONE_NEWNET), [] { return std::string("make a network namespace"); });
      made = os::open_file("/proc/thread-self/ns/net", O_RDONLY);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  thread.join();
  if (failure) std::rethrow_exception(failure);
  return made;
}

/// What of the host's resolv.conf holds inside as well.
std::string resolv_conf_text() {
  std::string text = "nameserver 127.0.0.11\n";
  const std::string host = os::read_file_if_exists("/etc/resolv.conf").value_or("");
  for (std::size_t begin = 0; begin < host.size();) {
    const auto end = std::min(host.find('\n', begin), host.size());
    const std::string line = host.substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with("search ") || line.starts_with("options ")) text += line + "\n";
  }
  return text;
}

}  // namespace

std::string build_network_name(const std::string& build) { return "~build-" + build; }

struct BuildNetworks::State {
  State(std::string run_dir, std::string build_id)
      : run(std::move(run_dir)),
        name(build_network_name(build_id)),
        work(boost::asio::make_work_guard(io)),
        dns(io),
        thread([this] { io.run(); }) {}
  ~State() {
    work.reset();
    io.stop();
    thread.join();
    try {
      if (network) network->remove();
    } catch (const std::exception&) {
      // The next build's sweep takes what is left.
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// Runs `function` where the DNS server runs, and waits.
  template <class Function>
  void on_loop(Function function) {
    std::packaged_task<void()> task(std::move(function));
    auto done = task.get_future();
    boost::asio::post(io, [&task] { task(); });
    done.get();
  }

  std::string run;
  std::string name;
  boost::asio::io_context io;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
  network::DnsServer dns;
  std::mutex mutex;  ///< of the network: its calls are never made at once
  std::unique_ptr<network::Network> network;
  std::map<std::string, os::UniqueFd> namespaces;
  std::thread thread;
};

BuildNetworks::BuildNetworks(const Paths& paths, std::string build)
    : state_(std::make_unique<State>(paths.run, std::move(build))) {}

BuildNetworks::~BuildNetworks() = default;

build::StepNetwork BuildNetworks::join(const std::string& step) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  if (!state.network) {
    auto network = std::make_unique<network::Network>(state.run, state.name);
    network->ensure({{.name = kNetwork}});
    state.network = std::move(network);
  }
  os::UniqueFd made = make_namespace();
  state.network->attach(step, made.get(), {{.network = kNetwork, .default_route = true}});
  auto sockets = std::make_shared<network::DnsSockets>(network::Network::open_dns(made.get()));
  state.on_loop([&state, &step, sockets] {
    network::DnsPolicy policy;
    policy.view.networks = {kNetwork};
    state.dns.add(step, std::move(sockets->udp), std::move(sockets->tcp), std::move(policy));
  });
  build::StepNetwork result{
      .namespace_path = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(made.get()),
      .resolv_conf = resolv_conf_text(),
      .host_gateway = state.network->host_gateway()};
  state.namespaces[step] = std::move(made);
  return result;
}

void BuildNetworks::leave(const std::string& step) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  state.on_loop([&state, &step] { state.dns.remove(step); });
  // Its interface goes with its namespace, while the next step works: who deletes an interface
  // waits for the kernel. Its address is given back with all others, at the end of the build.
  state.namespaces.erase(step);
}

}  // namespace orchestrator
