// The health of one container (Compose D8) as a pure machine: probe results in, status and the time
// of the next probe out. The first probe runs at once and again with a short growing pause until
// the first success; a failure counts against `retries` only at the times at which the file lets it
// count, so that the verdict is the reference's and comes earlier only when it is good.
#pragma once

#include <chrono>
#include <string_view>

#include "orchestrator/service_machine.hpp"

namespace orchestrator {

struct HealthTiming {
  Duration interval = std::chrono::seconds(30);
  Duration timeout = std::chrono::seconds(30);
  Duration start_period = Duration::zero();
  Duration start_interval = std::chrono::seconds(5);
  int retries = 3;
};

enum class Health { starting, healthy, unhealthy };
std::string_view to_string(Health health);

class HealthMachine {
 public:
  /// The container started at `started`.
  HealthMachine(HealthTiming timing, TimePoint started);

  Health status() const { return status_; }
  int failing_streak() const { return streak_; }
  /// When to begin the next probe; in the past means at once.
  TimePoint next_probe() const { return next_; }
  /// A probe that ended at `ended`. Returns whether the status changed.
  bool probe_finished(bool success, TimePoint ended);
  /// Takes up a container whose health was known before this machine was made.
  void adopt(Health status, int streak) {
    status_ = status;
    streak_ = streak;
    seen_success_ = status == Health::healthy;
  }

 private:
  Duration pause_after(TimePoint ended);
  void count_failure(TimePoint ended);

  HealthTiming timing_;
  TimePoint started_;
  TimePoint next_;
  TimePoint counts_from_;  ///< a failure before it does not count
  Duration eager_pause_;
  Health status_ = Health::starting;
  int streak_ = 0;
  bool seen_success_ = false;
};

}  // namespace orchestrator
