// A supervisor that starts takes up what an earlier one left: by the records on disk, checked
// against the kernel.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>

#include "orchestrator/container.hpp"
#include "orchestrator/endpoints.hpp"
#include "orchestrator/project.hpp"
#include "runtime/container/cgroup.hpp"
#include "runtime/container/state.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace orchestrator {

namespace asio = boost::asio;

Task<> Container::adopt() {
  const container::StatePaths state_paths(project_.paths().container_run(record_.short_id()));
  const bool has_monitor = co_await find_monitor();
  const auto state = has_monitor ? container::read_state(state_paths) : std::nullopt;
  if (auto status = read_status(project_.paths(), record_.short_id())) status_ = std::move(*status);
  if (!state) {
    if (status_.state == "restarting") co_return end_pause();
    status_.state = record_.outcome ? "exited" : "created";
    machine_.adopt(record_.outcome ? ContainerState::exited : ContainerState::created, 0,
                   record_.stopped_by_user, TimePoint{});
    co_return;
  }
  ended_ = false;
  std::optional<os::UniqueFd> socket;
  if (state->boot_id == os::boot_id()) socket = os::connect_channel(state_paths.monitor_socket());
  if (!socket) {
    machine_.adopt(ContainerState::running, status_.restart_count, record_.stopped_by_user,
                   Clock::now());
    co_await clear_leftovers();
    Outcome outcome{.exit_code = 128 + SIGKILL, .error = "its monitor was killed"};
    co_await on_ended(std::move(outcome));
    co_return;
  }
  link_.emplace(project_.executor(), std::move(*socket));
  link_->send({{"op", "subscribe"}});
  auto first = co_await link_->receive();
  Json said = first ? std::move(first->data) : Json::object();
  co_await adopt_running(std::move(said));
}

Task<bool> Container::find_monitor() {
  const container::StatePaths paths(project_.paths().container_run(record_.short_id()));
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  while (os::exists(paths.directory)) {
    if (os::exists(paths.record()) && os::exists(paths.monitor_socket())) co_return true;
    if (os::FileLock::try_acquire(paths.lock()) || Clock::now() > deadline) break;
    co_await sleep_until(Clock::now() + std::chrono::milliseconds(1));
  }
  co_return os::exists(paths.record());
}

void Container::end_pause() {
  machine_.adopt(ContainerState::restarting, status_.restart_count, record_.stopped_by_user,
                 TimePoint{});
  handle(event::RestartDue{});
}

Task<> Container::adopt_running(Json state) {
  const std::string status = state.value("status", "");
  const bool runs = status == "running" || status == "paused";
  const bool ended = status == "stopped" || status == "failed";
  const bool restarts = status_.state == "restarting";
  if (ended && restarts) co_return end_pause();
  machine_.adopt(
      runs || status == "stopped" || restarts ? ContainerState::running : ContainerState::starting,
      status_.restart_count, record_.stopped_by_user, Clock::now());
  ++run_;
  if (runs) {
    pid_ = state.at("init").at("pid").get<pid_t>();
    status_.started_at = state.value("started_at", timestamp_now());
    status_.state = status;
    co_await adopt_network();
    if (health_check_) {
      health_.emplace(health_check_->timing, Clock::now());
      const Health known = status_.health == "healthy"     ? Health::healthy
                           : status_.health == "unhealthy" ? Health::unhealthy
                                                           : Health::starting;
      health_->adopt(known, status_.failing_streak);
    }
    save_status();
  } else if (ended) {
    Outcome outcome{.exit_code = state.value("exit_code", 125),
                    .oom_killed = state.value("oom_killed", false),
                    .finished_at = state.value("finished_at", "")};
    if (status == "failed")
      outcome.error = state.value("failure", Json::object()).value("message", "it failed to start");
    status_.started_at = state.value("started_at", "");
    co_await on_ended(std::move(outcome));
    co_return;
  } else {  // half made: what the earlier supervisor would have done next nobody can know
    start_error_ = "its start was interrupted";
    link_->send({{"op", "kill"}, {"signal", SIGKILL}, {"all", true}});
    co_await follow_monitor();  // to its end, so that the next start finds it stopped
    co_return;
  }
  asio::co_spawn(
      project_.executor(), [self = shared_from_this()] { return self->follow_monitor(); },
      asio::detached);
  if (health_)
    asio::co_spawn(
        project_.executor(),
        [self = shared_from_this(), run = run_] { return self->watch_health(run); },
        asio::detached);
}

Task<> Container::adopt_network() {
  try {
    project_.fabric().resolve(stack_);
    const auto leased =
        co_await project_.fabric().lease(record_.short_id(), endpoint_specs(stack_, service()));
    const std::vector<std::string> keys = service().networks_by_priority();
    for (std::size_t i = 0; i < leased.size(); ++i) addresses_.emplace_back(keys[i], leased[i]);
    if (!leased.empty())
      co_await project_.fabric().serve_names(record_.short_id(), pid_, dns_policy());
    announce();
  } catch (const os::Error&) {
    // It may have ended since its monitor spoke; then the next event says so. One that runs on is
    // better left running without names than stopped by the supervisor that came to keep it.
  }
}

Task<> Container::clear_leftovers() {
  const std::string directory = project_.paths().container_run(record_.short_id());
  auto work = [directory, layout = project_.cgroups()] {
    const container::StatePaths paths(directory);
    const auto state = container::read_state(paths);
    if (!state) return;
    if (state->boot_id == os::boot_id()) {
      if (state->init)
        if (const auto init = os::Pidfd::open(*state->init)) init->send_signal(SIGKILL);
      auto groups = container::Cgroup::open(layout, state->cgroups);
      groups.kill_all();
      groups.wait_empty(std::chrono::seconds(10));
      groups.remove();
      if (state->monitor)  // one that could not do it itself
        if (const auto monitor = os::Pidfd::open(*state->monitor)) monitor->send_signal(SIGKILL);
    }
    for (const std::string& file : {paths.record(), paths.monitor_socket(), paths.lock()})
      os::remove_tree(file);
  };
  co_await blocking(project_.workers(), std::move(work));
}

}  // namespace orchestrator
