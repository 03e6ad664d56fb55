#include "runtime/monitor/hold.hpp"

#include <malloc.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/container/bundle.hpp"
#include "runtime/monitor/hooks.hpp"
#include "runtime/os/channel.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace monitor {

namespace {

os::UniqueFd make_signal_descriptor() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  return os::UniqueFd(os::check(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK),
                                [] { return std::string("make a signal descriptor"); }));
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? std::string() : path.substr(0, slash);
}

}  // namespace

Monitor::Monitor(MonitorOptions options)
    : options_(std::move(options)),
      paths_(options_.state_directory),
      clients_(loop_, {.request =
                           [this](ClientId client, const nlohmann::json& message,
                                  std::vector<os::UniqueFd> fds) {
                             request(client, message, std::move(fds));
                           },
                       .closed = [this](ClientId client) { execs_.abandon(client); },
                       .orphaned = [this] { revival_.orphaned(); }}),
      revival_(loop_, options_.on_orphaned, [this] { return clients_.has_subscribers(); }),
      signals_(make_signal_descriptor()) {}

Monitor::~Monitor() = default;

void Monitor::run(os::UniqueFd control) {
  state_.id = options_.id;
  state_.bundle = options_.bundle;
  state_.boot_id = os::boot_id();
  state_.monitor = os::identify(::getpid());
  save();
  clients_.listen(os::listen_channel(paths_.monitor_socket()));
  clients_.adopt(std::move(control), true);
  create();
  loop_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { reap(); });
  reap();  // what ended before anybody watched
  ::malloc_trim(0);
  loop_.run();
}

void Monitor::create() {
  try {
    CreateRequest request;
    request.id = options_.id;
    request.bundle = options_.bundle;
    request.extensions = true;
    request.spec = container::read_bundle(options_.bundle);
    state_.annotations = request.spec.annotations;
    stdio_ = std::make_unique<Stdio>(loop_, container::LogWriter(options_.log_path, options_.log));
    const bool terminal = request.spec.process && request.spec.process->terminal;
    if (!terminal) request.streams = stdio_->make_pipes(options_.input);
    request.on_namespaces = [this](pid_t pid) {
      state_.init = os::identify(pid);
      if (state_.init)
        clients_.broadcast(
            {{"event", "namespaces"}, {"pid", pid}, {"start_time", state_.init->start_time}});
    };
    note_created(create_container(request), request.spec);
  } catch (...) {
    fail(current_failure(Stage::validate));
  }
}

void Monitor::note_created(CreatedContainer created, container::Spec& spec) {
  init_ = std::move(created.init);
  sync_.emplace(std::move(created.sync));
  cgroup_.emplace(std::move(created.cgroup));
  if (created.terminal) stdio_->use_terminal(std::move(created.terminal));
  defaults_ = std::move(created.program);
  hooks_.poststart = std::move(spec.hooks.poststart);
  hooks_.poststop = std::move(spec.hooks.poststop);
  cgroup_parent_ = parent_of(cgroup_path(spec, options_.id));
  state_.status = container::Status::created;
  state_.created_at = container::timestamp_now();
  state_.init = os::identify(init_.pid());
  state_.cgroups = cgroup_->paths();
  save();
  watch_memory();
  stdio_->start();
  loop_.add(sync_->fd(), EPOLLIN, [this](std::uint32_t) { start_answered(); });
  nlohmann::json event = {{"event", "created"}, {"pid", init_.pid()}};
  if (!created.warnings.empty()) event["warnings"] = created.warnings;
  clients_.broadcast(event);
}

void Monitor::start(std::vector<os::UniqueFd> sockets, const nlohmann::json& request) {
  require(container::Status::created, "start");
  if (start_sent_) throw os::Error("the container is being started already");
  open_relays(request, std::move(sockets));
  start_sent_ = true;
  sync_->send(Signal::run);
}

void Monitor::start_answered() {
  std::optional<SyncMessage> answer;
  try {
    answer = sync_->receive(std::chrono::milliseconds(0));
  } catch (const os::Error& error) {
    if (error.code() == ETIMEDOUT) return;
  }
  loop_.remove(sync_->fd());
  sync_.reset();
  if (answer) return fail(answer->failure);
  if (!start_sent_) return;  // killed at the gate: its end is reported when it is reaped
  state_.status = container::Status::running;
  state_.started_at = container::timestamp_now();
  save();
  clients_.broadcast({{"event", "started"}, {"at", state_.started_at}});
  try {
    run_hooks(hooks_.poststart, "poststart", oci_state(state_));
  } catch (const os::Error&) {
    cgroup_->kill_all();  // the specification wants the container stopped
  }
}

void Monitor::fail(const Failure& failure) {
  relays_.clear();
  reservations_.clear();
  init_ = os::Child();  // killed and reaped
  if (cgroup_) {
    cgroup_->kill_all();
    cgroup_->wait_empty(std::chrono::seconds(2));
    if (memory_events_) loop_.remove(memory_events_.get());
    memory_events_.reset();
    cgroup_->remove();
    cgroup_.reset();
    container::remove_cgroup_parent(container::CgroupLayout::detect(), cgroup_parent_);
  }
  if (stdio_) stdio_->finish();
  state_.status = container::Status::failed;
  state_.finished_at = container::timestamp_now();
  state_.init.reset();
  state_.cgroups.clear();
  state_.failure = container::Failure{std::string(stage_name(failure.stage)), failure.errnum,
                                      failure.message, failure.exit_code()};
  save();
  clients_.broadcast({{"event", "failed"},
                      {"stage", state_.failure->stage},
                      {"errno", failure.errnum},
                      {"message", failure.message},
                      {"exit_code", failure.exit_code()}});
}

void Monitor::reap() {
  signalfd_siginfo pending;
  while (::read(signals_.get(), &pending, sizeof pending) > 0) {
  }
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) return;
    const os::ExitStatus status = os::exit_status_from(info);
    if (info.si_pid == init_.pid()) {
      init_.release();
      init_ended(status);
    } else if (const auto ended = execs_.ended(info.si_pid, status); ended && ended->client != 0) {
      clients_.send(ended->client,
                    {{"event", "exec_exited"}, {"exec", ended->name}, {"code", ended->code}});
    }
  }
}

void Monitor::init_ended(const os::ExitStatus& status) {
  if (sync_) start_answered();
  if (state_.status == container::Status::failed) return;
  exit_ = status;
  // With a pid namespace of its own everything has ended with init; otherwise it must be ended.
  if (cgroup_->populated()) cgroup_->kill_all();
  finish_when_empty(std::chrono::milliseconds(1), 0);
}

void Monitor::finish_when_empty(std::chrono::milliseconds pause, int attempts) {
  constexpr int kMaxAttempts = 200;
  static constexpr std::chrono::milliseconds kLongestPause{50};
  if (attempts >= kMaxAttempts || !cgroup_->populated()) return finish();
  loop_.after(pause, [this, pause, attempts] {
    cgroup_->kill_all();
    finish_when_empty(std::min(2 * pause, kLongestPause), attempts + 1);
  });
}

void Monitor::finish() {
  memory_event();
  stdio_->finish();
  relays_.clear();
  state_.status = container::Status::stopped;
  state_.finished_at = container::timestamp_now();
  state_.exit_code = exit_->code;
  state_.signal = exit_->signal;
  state_.oom_killed = oom_kills_ > 0;
  save();
  clients_.broadcast({{"event", "exited"},
                      {"code", exit_->code},
                      {"signal", exit_->signal},
                      {"oom_killed", state_.oom_killed},
                      {"at", state_.finished_at}});
}

void Monitor::watch_memory() {
  memory_events_ = cgroup_->oom_events();
  if (!memory_events_) return;
  os::set_nonblocking(memory_events_.get());
  loop_.add(memory_events_.get(), EPOLLIN, [this](std::uint32_t) {
    char drained[4096];
    while (::read(memory_events_.get(), drained, sizeof drained) > 0) {
    }
    memory_event();
  });
}

void Monitor::memory_event() {
  const std::uint64_t kills = cgroup_->oom_kills();
  if (kills <= oom_kills_) return;
  oom_kills_ = kills;
  clients_.broadcast({{"event", "oom"}});
}

void Monitor::release() {
  if (state_.status != container::Status::stopped && state_.status != container::Status::failed)
    throw os::Error(EBUSY, "release a container that has not stopped");
  try {
    run_hooks(hooks_.poststop, "poststop", oci_state(state_));
  } catch (const os::Error&) {
    // The specification wants the rest done all the same.
  }
  if (cgroup_) {
    if (memory_events_) loop_.remove(memory_events_.get());
    memory_events_.reset();
    cgroup_->remove();
    container::remove_cgroup_parent(container::CgroupLayout::detect(), cgroup_parent_);
    cgroup_.reset();
  }
  for (const std::string& name : os::list_directory(paths_.directory))
    os::remove_tree(paths_.directory + "/" + name);
  loop_.stop();
}

}  // namespace monitor
