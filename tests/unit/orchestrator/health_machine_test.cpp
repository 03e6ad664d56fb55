#include "orchestrator/health_machine.hpp"

#include <gtest/gtest.h>

namespace orchestrator {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{};

HealthTiming timing() {
  return {.interval = 10s, .start_period = 0s, .start_interval = 2s, .retries = 3};
}

// D8.1
TEST(HealthMachine, BeginsAsStartingAndProbesAtOnce) {
  const HealthMachine machine(timing(), kStart);
  EXPECT_EQ(machine.status(), Health::starting);
  EXPECT_EQ(machine.failing_streak(), 0);
  EXPECT_EQ(machine.next_probe(), kStart);
}

// D8.4: one success is enough, also inside the start period.
TEST(HealthMachine, IsHealthyWithTheFirstSuccess) {
  HealthTiming slow = timing();
  slow.start_period = 60s;
  HealthMachine machine(slow, kStart);
  EXPECT_FALSE(machine.probe_finished(false, kStart));
  EXPECT_TRUE(machine.probe_finished(true, kStart + 1s));
  EXPECT_EQ(machine.status(), Health::healthy);
  EXPECT_FALSE(machine.probe_finished(true, kStart + 2s)) << "told on change only (D8.10)";
}

// D8.2: the next probe begins one interval after the previous one ended.
TEST(HealthMachine, ProbesByTheIntervalOnceHealthy) {
  HealthMachine machine(timing(), kStart);
  machine.probe_finished(true, kStart + 3s);
  EXPECT_EQ(machine.next_probe(), kStart + 13s);
}

// D8.2: by the file no verdict can fall before a full interval, however often it was probed.
TEST(HealthMachine, CountsNoFailureBeforeTheFirstInterval) {
  HealthMachine machine(timing(), kStart);
  for (auto after = 0s; after < 10s; after += 1s) machine.probe_finished(false, kStart + after);
  EXPECT_EQ(machine.failing_streak(), 0);
  machine.probe_finished(false, kStart + 10s);
  EXPECT_EQ(machine.failing_streak(), 1);
  machine.probe_finished(false, kStart + 11s);
  EXPECT_EQ(machine.failing_streak(), 1) << "one failure per interval";
}

// D8.5: not counted inside the start period, then `retries` of them.
TEST(HealthMachine, IsUnhealthyOnlyAfterTheStartPeriod) {
  HealthTiming slow = timing();
  slow.start_period = 30s;
  HealthMachine machine(slow, kStart);
  EXPECT_FALSE(machine.probe_finished(false, kStart + 30s - 1ns));
  EXPECT_EQ(machine.failing_streak(), 0);
  EXPECT_FALSE(machine.probe_finished(false, kStart + 30s));
  EXPECT_FALSE(machine.probe_finished(false, kStart + 40s));
  EXPECT_TRUE(machine.probe_finished(false, kStart + 50s));
  EXPECT_EQ(machine.status(), Health::unhealthy);
}

// D8.4, D8.5: a success ends the start period for counting.
TEST(HealthMachine, CountsInsideTheStartPeriodAfterASuccess) {
  HealthTiming slow = timing();
  slow.start_period = 60s;
  HealthMachine machine(slow, kStart);
  machine.probe_finished(true, kStart + 1s);
  machine.probe_finished(false, kStart + 11s);
  EXPECT_EQ(machine.failing_streak(), 1);
}

// D8.6
TEST(HealthMachine, LosesHealthAfterRetriesAndRegainsItAtOnce) {
  HealthMachine machine(timing(), kStart);
  machine.probe_finished(true, kStart);
  EXPECT_FALSE(machine.probe_finished(false, kStart + 10s));
  EXPECT_FALSE(machine.probe_finished(false, kStart + 20s));
  EXPECT_EQ(machine.status(), Health::healthy);
  EXPECT_TRUE(machine.probe_finished(false, kStart + 30s));
  EXPECT_EQ(machine.status(), Health::unhealthy);
  EXPECT_TRUE(machine.probe_finished(true, kStart + 40s));
  EXPECT_EQ(machine.status(), Health::healthy);
  EXPECT_EQ(machine.failing_streak(), 0);
}

// The pause while starting grows, is never longer than the file's, and never jumps over the moment
// from which failures count.
TEST(HealthMachine, ProbesEagerlyWhileStarting) {
  HealthTiming slow = timing();
  slow.start_period = 30s;
  HealthMachine machine(slow, kStart);
  TimePoint now = kStart;
  Duration longest{};
  for (int probe = 0; probe < 1000 && machine.failing_streak() == 0; ++probe) {
    machine.probe_finished(false, now);
    const Duration pause = machine.next_probe() - now;
    ASSERT_GT(pause, 0ns);
    if (machine.failing_streak() == 0) {
      longest = std::max(longest, pause);
    } else {
      EXPECT_EQ(now, kStart + 30s);
    }
    now = machine.next_probe();
  }
  EXPECT_EQ(machine.failing_streak(), 1);
  EXPECT_EQ(longest, 2s) << "start_interval (D8.3)";
}

TEST(HealthMachine, TakesUpWhatItAdopts) {
  HealthMachine machine(timing(), kStart);
  machine.adopt(Health::healthy, 2);
  EXPECT_TRUE(machine.probe_finished(false, kStart + 1s));
  EXPECT_EQ(machine.status(), Health::unhealthy);
}

}  // namespace
}  // namespace orchestrator
