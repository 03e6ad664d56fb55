// The life of one container as its supervisor sees it: state and event in, actions out. No clock,
// no process, no socket; the supervisor feeds it and carries out what it answers.
//
//   created ── start ──▶ starting ── started ──▶ running ── stop ──▶ stopping
//      ▲                    │ failed                │ exited             │ exited
//      │                    ▼                       ▼                    ▼
//      └──── (removed)   exited ◀── policy: no ─── (policy) ──▶ restarting ── due ──▶ starting
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "manifests/stack.hpp"

namespace orchestrator {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = std::chrono::nanoseconds;

enum class ContainerState { created, starting, running, stopping, restarting, exited };
std::string_view to_string(ContainerState state);

namespace event {
struct Start {};  ///< by a command: clears the restart count
struct Started {
  TimePoint at;
};
/// Creation or exec failed. The policy is not applied to the very first start.
struct StartFailed {
  TimePoint at;
  int exit_code;
};
struct Exited {
  TimePoint at;
  int exit_code;
};
struct Stop {
  int signal;
  Duration grace;
};
struct Kill {
  int signal;  ///< SIGKILL ends the policy; another signal is only passed on
};
struct GraceOver {};
struct RestartDue {};
}  // namespace event

using LifeEvent = std::variant<event::Start, event::Started, event::StartFailed, event::Exited,
                               event::Stop, event::Kill, event::GraceOver, event::RestartDue>;

namespace action {
struct Launch {};
struct Signal {
  int signal;
  bool operator==(const Signal&) const = default;
};
struct KillAll {};  ///< the whole cgroup
struct ArmGrace {
  Duration delay;
  bool operator==(const ArmGrace&) const = default;
};
struct ArmRestart {
  Duration delay;
  bool operator==(const ArmRestart&) const = default;
};
struct DisarmTimer {};
inline bool operator==(Launch, Launch) { return true; }
inline bool operator==(KillAll, KillAll) { return true; }
inline bool operator==(DisarmTimer, DisarmTimer) { return true; }
}  // namespace action

using LifeAction = std::variant<action::Launch, action::Signal, action::KillAll, action::ArmGrace,
                                action::ArmRestart, action::DisarmTimer>;

/// Back-off of restarts: 100 ms, doubled each time, at most a minute; anew after a run of 10 s
/// (D7.4).
inline constexpr Duration kFirstRestartDelay = std::chrono::milliseconds(100);
inline constexpr Duration kLongestRestartDelay = std::chrono::minutes(1);
inline constexpr Duration kStableRun = std::chrono::seconds(10);

class ServiceMachine {
 public:
  explicit ServiceMachine(manifests::RestartPolicy policy) : policy_(policy) {}

  /// What to do now. An event that means nothing in the present state gives no action.
  std::vector<LifeAction> on(const LifeEvent& event);

  ContainerState state() const { return state_; }
  int restart_count() const { return restarts_; }
  /// Whether a command stopped it: `unless-stopped` holds across a restart of the supervisor.
  bool stopped_by_user() const { return stopped_by_user_; }

  /// Takes up a container that ran before this machine was made.
  void adopt(ContainerState state, int restarts, bool stopped_by_user, TimePoint started_at);

 private:
  std::vector<LifeAction> start();
  std::vector<LifeAction> stop(const event::Stop& stop);
  std::vector<LifeAction> kill(const event::Kill& kill);
  std::vector<LifeAction> ended(TimePoint at, int exit_code);
  bool policy_wants_restart(int exit_code) const;

  manifests::RestartPolicy policy_;
  ContainerState state_ = ContainerState::created;
  TimePoint started_at_{};
  Duration delay_ = kFirstRestartDelay;
  int restarts_ = 0;
  bool ever_started_ = false;
  bool stopped_by_user_ = false;
};

}  // namespace orchestrator
