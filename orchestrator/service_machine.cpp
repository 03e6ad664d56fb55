#include "orchestrator/service_machine.hpp"

#include <csignal>

namespace orchestrator {

namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

std::string_view to_string(ContainerState state) {
  switch (state) {
    case ContainerState::created:
      return "created";
    case ContainerState::starting:
      return "starting";
    case ContainerState::running:
      return "running";
    case ContainerState::stopping:
      return "stopping";
    case ContainerState::restarting:
      return "restarting";
    case ContainerState::exited:
      return "exited";
  }
  return "unknown";
}

std::vector<LifeAction> ServiceMachine::on(const LifeEvent& happened) {
  return std::visit(
      Overloaded{
          [&](const event::Start&) { return start(); },
          [&](const event::Started& started) -> std::vector<LifeAction> {
            ever_started_ = true;
            started_at_ = started.at;
            if (state_ == ContainerState::starting) state_ = ContainerState::running;
            return {};
          },
          [&](const event::StartFailed& failed) { return ended(failed.at, failed.exit_code); },
          [&](const event::Exited& exited) { return ended(exited.at, exited.exit_code); },
          [&](const event::Stop& stopped) { return stop(stopped); },
          [&](const event::Kill& killed) { return kill(killed); },
          [&](const event::GraceOver&) -> std::vector<LifeAction> {
            if (state_ != ContainerState::stopping) return {};
            return {action::KillAll{}};
          },
          [&](const event::RestartDue&) -> std::vector<LifeAction> {
            if (state_ != ContainerState::restarting) return {};
            state_ = ContainerState::starting;
            return {action::Launch{}};
          },
      },
      happened);
}

std::vector<LifeAction> ServiceMachine::start() {
  std::vector<LifeAction> actions;
  switch (state_) {
    case ContainerState::starting:
    case ContainerState::running:
    case ContainerState::stopping:
      return {};
    case ContainerState::restarting:
      actions.emplace_back(action::DisarmTimer{});
      break;
    case ContainerState::created:
    case ContainerState::exited:
      break;
  }
  state_ = ContainerState::starting;
  stopped_by_user_ = false;
  ever_started_ = false;
  restarts_ = 0;
  delay_ = kFirstRestartDelay;
  actions.emplace_back(action::Launch{});
  return actions;
}

std::vector<LifeAction> ServiceMachine::stop(const event::Stop& stop) {
  stopped_by_user_ = true;
  switch (state_) {
    case ContainerState::created:
    case ContainerState::exited:
      return {};
    case ContainerState::restarting:
      state_ = ContainerState::exited;
      return {action::DisarmTimer{}};
    case ContainerState::starting:
    case ContainerState::running:
    case ContainerState::stopping:
      break;
  }
  state_ = ContainerState::stopping;
  if (stop.grace <= Duration::zero())
    return {action::Signal{stop.signal}, action::DisarmTimer{}, action::KillAll{}};
  return {action::Signal{stop.signal}, action::ArmGrace{stop.grace}};
}

std::vector<LifeAction> ServiceMachine::kill(const event::Kill& kill) {
  if (state_ == ContainerState::restarting && kill.signal == SIGKILL) {
    stopped_by_user_ = true;
    state_ = ContainerState::exited;
    return {action::DisarmTimer{}};
  }
  if (state_ != ContainerState::running && state_ != ContainerState::starting &&
      state_ != ContainerState::stopping)
    return {};
  if (kill.signal != SIGKILL) return {action::Signal{kill.signal}};
  stopped_by_user_ = true;
  state_ = ContainerState::stopping;
  return {action::KillAll{}};
}

std::vector<LifeAction> ServiceMachine::ended(TimePoint at, int exit_code) {
  const bool was_stopping = state_ == ContainerState::stopping;
  const bool ran = state_ == ContainerState::running;
  state_ = ContainerState::exited;
  if (was_stopping) return {action::DisarmTimer{}};
  if (!ever_started_ || !policy_wants_restart(exit_code)) return {};
  if (ran && at - started_at_ >= kStableRun) delay_ = kFirstRestartDelay;
  state_ = ContainerState::restarting;
  const Duration delay = delay_;
  delay_ = std::min(delay_ * 2, kLongestRestartDelay);
  ++restarts_;
  return {action::ArmRestart{delay}};
}

bool ServiceMachine::policy_wants_restart(int exit_code) const {
  using When = manifests::RestartPolicy::When;
  if (stopped_by_user_ || policy_.when == When::never) return false;
  if (policy_.when == When::on_failure && exit_code == 0) return false;
  return policy_.max_attempts == 0 || static_cast<std::uint64_t>(restarts_) < policy_.max_attempts;
}

void ServiceMachine::adopt(ContainerState state, int restarts, bool stopped_by_user,
                           TimePoint started_at) {
  state_ = state;
  restarts_ = restarts;
  stopped_by_user_ = stopped_by_user;
  started_at_ = started_at;
  ever_started_ = state == ContainerState::running || state == ContainerState::stopping ||
                  state == ContainerState::restarting;
  for (int i = 0; i < restarts && delay_ < kLongestRestartDelay; ++i)
    delay_ = std::min(delay_ * 2, kLongestRestartDelay);
}

}  // namespace orchestrator
