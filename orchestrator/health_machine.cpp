#include "orchestrator/health_machine.hpp"

#include <algorithm>

namespace orchestrator {

namespace {

constexpr Duration kFirstEagerPause = std::chrono::milliseconds(10);

}  // namespace

std::string_view to_string(Health health) {
  switch (health) {
    case Health::starting:
      return "starting";
    case Health::healthy:
      return "healthy";
    case Health::unhealthy:
      return "unhealthy";
  }
  return "unknown";
}

HealthMachine::HealthMachine(HealthTiming timing, TimePoint started)
    : timing_(timing),
      started_(started),
      next_(started),
      // The reference's first probe comes one interval after the start, and its start period ends
      // no earlier than the file says: no failure before both can count.
      counts_from_(started + std::max(timing.interval, timing.start_period)),
      eager_pause_(kFirstEagerPause) {}

bool HealthMachine::probe_finished(bool success, TimePoint ended) {
  const Health before = status_;
  if (success) {
    status_ = Health::healthy;
    streak_ = 0;
    seen_success_ = true;
  } else {
    count_failure(ended);
  }
  next_ = ended + pause_after(ended);
  return status_ != before;
}

void HealthMachine::count_failure(TimePoint ended) {
  if (!seen_success_ && status_ == Health::starting) {
    if (ended < counts_from_) return;
    counts_from_ = ended + timing_.interval;
  }
  if (++streak_ >= timing_.retries) status_ = Health::unhealthy;
}

Duration HealthMachine::pause_after(TimePoint ended) {
  if (status_ != Health::starting) return timing_.interval;
  const bool starting_up = ended < started_ + timing_.start_period;
  const Duration regular =
      starting_up ? std::min(timing_.start_interval, timing_.interval) : timing_.interval;
  const Duration pause = std::min(eager_pause_, regular);
  eager_pause_ = std::min(eager_pause_ * 3 / 2, regular);
  // The verdict must not wait for a long eager pause when a failure may count already.
  if (ended < counts_from_ && ended + pause > counts_from_) return counts_from_ - ended;
  return pause;
}

}  // namespace orchestrator
