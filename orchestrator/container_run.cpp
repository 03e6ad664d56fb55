// One run of a container: from its configuration to its end.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>

#include "orchestrator/container.hpp"
#include "orchestrator/container_root.hpp"
#include "orchestrator/endpoints.hpp"
#include "orchestrator/project.hpp"
#include "orchestrator/translate.hpp"
#include "runtime/container/bundle.hpp"
#include "runtime/container/state.hpp"
#include "runtime/os/channel.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace orchestrator {

namespace asio = boost::asio;

Task<> Container::launch() {
  ++run_;
  ended_ = false;
  start_error_.clear();
  created_ = network_ready_ = false;
  std::string failure;
  try {
    co_await prepare();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (failure.empty()) {
    co_await follow_monitor();
  } else {
    Outcome outcome{.exit_code = 125, .error = std::move(failure)};
    co_await on_ended(std::move(outcome));
  }
}

namespace {

/// The process whose namespaces `mode` ("service:x") asks for.
pid_t shared_with(const Project& project, const std::string& mode, const char* what) {
  const manifests::NamespaceTarget target = manifests::namespace_target(mode);
  if (target.service.empty() && target.container.empty()) return 0;
  std::shared_ptr<Container> owner;
  if (!target.service.empty()) {
    const auto replicas = project.of_service(target.service);
    if (!replicas.empty()) owner = replicas.front();
  } else {
    owner = project.find_by_name(target.container);
  }
  if (!owner || owner->pid() == 0)
    throw os::Error(std::string("cannot share the ") + what + " namespace of " +
                    (target.service.empty() ? target.container : target.service) +
                    ": it does not run");
  return owner->pid();
}

std::string namespace_path(pid_t pid, const char* name) {
  return pid == 0 ? std::string() : "/proc/" + std::to_string(pid) + "/ns/" + name;
}

/// The /etc files of the container whose network is shared.
std::string files_of_owner(const Project& project, const std::string& mode) {
  const manifests::NamespaceTarget target = manifests::namespace_target(mode);
  for (const auto& container : project.containers())
    if (container->name() == target.container ||
        (!target.service.empty() && container->record().service == target.service &&
         !container->record().oneoff))
      return ContainerLayout(project.paths(), container->record().short_id()).files;
  return {};
}

}  // namespace

Task<> Container::prepare() {
  const auto begin = Trace::Clock::now();
  const std::string short_id = record_.short_id();
  project_.fabric().resolve(stack_);
  const std::vector<network::EndpointSpec> endpoints = endpoint_specs(stack_, service());
  const std::vector<network::Address> leased =
      co_await project_.fabric().lease(short_id, endpoints);
  addresses_.clear();
  const std::vector<std::string> keys = service().networks_by_priority();
  for (std::size_t i = 0; i < leased.size(); ++i) addresses_.emplace_back(keys[i], leased[i]);
  published_ = co_await project_.fabric().publish(short_id, endpoints, publish_specs(service()));
  project_.trace().span(record_.name, "addresses and ports", begin);

  const auto writing = Trace::Clock::now();
  const ImageUse& use = project_.image(record_.image_id);
  ContainerInput input{.stack = &stack_,
                       .service = &service(),
                       .record = &record_,
                       .image = use.image.config,
                       .layers = root_layers(project_.paths(), use.layers),
                       .layout = ContainerLayout(project_.paths(), short_id),
                       .addresses = leased,
                       .host_gateway = project_.fabric().host_gateway(),
                       .volumes = &project_.volumes(),
                       .volume_sources = volume_sources(project_, service()),
                       .layers_of =
                           [this](const std::string& name) {
                             const auto image = project_.images().find(name);
                             return image ? project_.images().layer_directories(*image)
                                          : std::vector<std::string>();
                           },
                       .unified_cgroup = project_.cgroups().unified_only()};
  input.network_namespace =
      namespace_path(shared_with(project_, service().network_mode, "network"), "net");
  input.pid_namespace = namespace_path(shared_with(project_, service().pid, "process"), "pid");
  input.ipc_namespace = namespace_path(shared_with(project_, service().ipc, "IPC"), "ipc");
  if (!input.network_namespace.empty())
    input.shared_files = files_of_owner(project_, service().network_mode);
  network_ready_ = service().network_mode == "host" || !input.network_namespace.empty();
  container::write_bundle(input.layout.bundle, translate(input));
  project_.trace().span(record_.name, "configuration", writing);
  co_await dismiss_monitor();  // that of the run before, as late as can be: see on_ended()
  // Handed on to the monitor: from here on a supervisor that finds no record of one, and the lock
  // taken, knows that one is coming.
  const os::FileLock lock = co_await lock_state();
  spawn_monitor(lock);
}

namespace {

/// The size options of `logging` as arguments of the monitor.
void add_log_options(const manifests::Service& service, std::vector<std::string>& arguments) {
  const LogLimits limits = effective_log_limits(service);
  if (limits.max_size == 0) return;
  arguments.insert(arguments.end(), {"--log-max-size", std::to_string(limits.max_size),
                                     "--log-max-file", std::to_string(limits.max_files)});
}

}  // namespace

Task<os::FileLock> Container::lock_state() {
  const container::StatePaths paths(project_.paths().container_run(record_.short_id()));
  os::make_directories(paths.directory, 0700);
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  for (;;) {
    if (auto lock = os::FileLock::try_acquire(paths.lock())) co_return std::move(*lock);
    if (Clock::now() > deadline) throw os::Error(EBUSY, "start it: an earlier monitor still runs");
    co_await sleep_until(Clock::now() + std::chrono::milliseconds(1));
  }
}

void Container::spawn_monitor(const os::FileLock& lock) {
  const auto begin = Trace::Clock::now();
  const std::string short_id = record_.short_id();
  const ContainerLayout layout(project_.paths(), short_id);
  const std::string state = project_.paths().container_run(short_id);
  auto [ours, theirs] = os::make_channel();
  os::SpawnOptions options{
      .executable = project_.runtime().executable(),
      .arguments = {"stack-runtime", "monitor", "--id", short_id, "--bundle", layout.bundle,
                    "--state", state, "--log", layout.log, "--locked", "--on-orphaned",
                    Json(project_.supervise_command()).dump()},
      .environment = project_.runtime().environment(),
      .descriptors = {{theirs.get(), 3}, {lock.fd(), 4}},
      .new_session = true};
  add_log_options(service(), options.arguments);
  if (service().stdin_open) options.arguments.emplace_back("--stdin");
  os::spawn(options).release();  // it outlives us; SIGCHLD is ignored, so nobody need reap it
  link_.emplace(project_.executor(), std::move(ours));
  project_.trace().span(record_.name, "spawn", begin);
}

Task<> Container::follow_monitor() {
  // While the end is being dealt with a new run may begin, with a monitor of its own.
  const auto run = run_;
  const auto is_over = [this, run] { return ended_ || run_ != run; };
  std::optional<MonitorEvent> next;
  std::string failure;
  do {
    next.reset();
    try {
      next = co_await link_->receive();
      if (next) co_await on_event(std::move(*next));
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (!failure.empty() && link_) {  // what we could not do for it ends it
      start_error_ = failure;
      link_->send({{"op", "kill"}, {"signal", SIGKILL}, {"all", true}});
      failure.clear();
    }
  } while (next && !is_over());
  if (is_over()) co_return;
  ended_ = true;
  co_await clear_leftovers();
  Outcome outcome{.exit_code = 128 + SIGKILL, .error = "its monitor was killed"};
  co_await on_ended(std::move(outcome));
}

Task<> Container::on_event(MonitorEvent event) {
  const Json& data = event.data;
  if (data.contains("seq")) {
    if (const auto reply = replies_.find(data["seq"].get<std::int64_t>());
        reply != replies_.end()) {
      reply->second->data = data;
      project_.changed().notify();
    }
  } else if (event.name == "namespaces") {
    co_await on_namespaces(data.at("pid").get<pid_t>());
  } else if (event.name == "created") {
    created_ = true;
    send_start();
  } else if (event.name == "started") {
    on_started(data.value("at", timestamp_now()));
  } else if (event.name == "oom") {
    note("oom");
  } else if (event.name == "failed") {
    Outcome outcome{.exit_code = data.value("exit_code", 125), .error = data.value("message", "")};
    if (outcome.error.empty()) outcome.error = "it could not be started";
    co_await on_ended(std::move(outcome));
  } else if (event.name == "exited") {
    Outcome outcome{.exit_code = data.value("code", 0),
                    .oom_killed = data.value("oom_killed", false),
                    .finished_at = data.value("at", timestamp_now())};
    co_await on_ended(std::move(outcome));
  } else if (event.name.starts_with("exec_")) {
    on_exec_event(event);
  }
}

network::DnsPolicy Container::dns_policy() const {
  return {.view = dns_view(stack_, service()), .resolvers = {.servers = service().dns}};
}

Task<> Container::on_namespaces(pid_t pid) {
  pid_ = pid;
  if (network_ready_ || !start_error_.empty()) co_return;
  const auto begin = Trace::Clock::now();
  co_await project_.fabric().attach(record_.short_id(), pid, endpoint_specs(stack_, service()),
                                    dns_policy());
  project_.trace().span(record_.name, "network", begin);
  network_ready_ = true;
  send_start();
}

void Container::send_start() {
  if (!created_ || !link_) return;
  // A stop came before the start, or the start cannot be carried through any more.
  if (machine_.state() == ContainerState::stopping || !start_error_.empty()) {
    link_->send({{"op", "kill"}, {"signal", SIGKILL}, {"all", true}});
    return;
  }
  if (!network_ready_) return;
  Json operation = {{"op", "start"}, {"relays", Json::array()}};
  std::vector<int> fds;
  for (const network::Relay& relay : published_.relays) {
    operation["relays"].push_back({{"protocol", relay.protocol}, {"to", relay.to}});
    fds.push_back(relay.socket.get());
  }
  for (const os::UniqueFd& reservation : published_.reservations) fds.push_back(reservation.get());
  operation["hold"] = published_.reservations.size();
  link_->send(operation, fds);
}

void Container::on_started(const std::string& at) {
  status_.started_at = at;
  status_.ports.clear();
  for (const network::PublishedPort& port : published_.ports)
    status_.ports.push_back({port.host_ip, port.published, port.target, port.protocol});
  published_ = {};  // the monitor holds the sockets from here on
  status_.networks.clear();
  for (const auto& [key, address] : addresses_)
    status_.networks.push_back({address.network, address.ipv4, address.ipv6, address.mac});
  status_.failing_streak = 0;
  status_.probes.clear();
  status_.health = health_check_ ? "starting" : "";
  health_.reset();
  if (health_check_) health_.emplace(health_check_->timing, Clock::now());
  announce();
  handle(event::Started{Clock::now()});
  set_state("running");
  note("start");
  if (machine_.state() == ContainerState::stopping) perform(action::KillAll{});
  if (health_)
    asio::co_spawn(
        project_.executor(),
        [self = shared_from_this(), run = run_] { return self->watch_health(run); },
        asio::detached);
}

void Container::announce() {
  const bool by_service = !record_.oneoff || record_.labels.contains("stack.use-aliases");
  std::vector<std::pair<std::string, network::DnsEndpoint>> endpoints;
  for (const auto& [key, address] : addresses_)
    endpoints.emplace_back(address.network,
                           dns_endpoint(service(), record_, key, by_service, address));
  project_.fabric().announce(record_.short_id(), endpoints);
}

Task<> Container::dismiss_monitor() {
  while (dismissing_) co_await project_.changed().wait();
  if (!link_) co_return;
  dismissing_ = true;
  try {
    link_->send({{"op", "release"}});
    // Read to the end: what is closed with something unread takes back what was sent (unix(7)).
    for (auto said = co_await link_->receive(); said && said->name != "error";)
      said = co_await link_->receive();
  } catch (const os::Error&) {
    // It is gone: so much the better.
  }
  link_->close();
  link_.reset();
  try {
    co_await clear_leftovers();  // when it was killed before it could do that
  } catch (const std::exception& error) {
    note("clearing failed", {{"error", error.what()}});
  }
  dismissing_ = false;
  project_.changed().notify();
}

Task<> Container::on_ended(Outcome outcome) {
  ended_ = true;
  pid_ = 0;
  const std::string short_id = record_.short_id();
  // A monitor keeps what it knows of the end until that is written down: should this supervisor
  // die first, the monitor starts the next one, and that one asks it. After a stop nothing depends
  // on it, and it can go meanwhile.
  const bool stopping = machine_.state() == ContainerState::stopping;
  if (link_ && stopping) link_->send({{"op", "release"}});
  project_.fabric().withdraw(short_id);
  published_ = {};
  const bool ran = !status_.started_at.empty() && outcome.error.empty();
  std::string failure;
  try {
    co_await project_.fabric().unpublish(short_id);
    co_await project_.fabric().detach(short_id);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (outcome.error.empty()) outcome.error = start_error_;
  if (start_error_.empty() && !ran) start_error_ = outcome.error;
  outcome.started_at = ran ? status_.started_at : "";
  if (outcome.finished_at.empty()) outcome.finished_at = timestamp_now();
  record_.outcome = outcome;
  status_.ports.clear();
  status_.networks.clear();
  health_.reset();
  bool recorded = true;
  try {
    write_record(project_.paths(), record_);
  } catch (const os::Error& error) {  // a full disk must not keep its policy from acting
    recorded = false;
    note("record not written", {{"error", error.what()}});
  }
  if (ran) note("die", {{"exitCode", std::to_string(outcome.exit_code)}});
  if (ran)
    handle(event::Exited{Clock::now(), outcome.exit_code});
  else
    handle(event::StartFailed{Clock::now(), outcome.exit_code});
  set_state(machine_.state() == ContainerState::restarting ? "restarting" : "exited");
  status_.started_at.clear();
  // Until the next start the monitor of this run stays, to see to it that a supervisor lives.
  if ((recorded || stopping) && machine_.state() != ContainerState::restarting)
    co_await dismiss_monitor();
  if (record_.remove_on_exit && !kept_ && machine_.state() == ContainerState::exited)
    co_await remove(true);
}

}  // namespace orchestrator
