#include "orchestrator/service_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace orchestrator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using When = manifests::RestartPolicy::When;

constexpr TimePoint kStart{};

LifeAction launch() { return action::Launch{}; }
LifeAction kill_all() { return action::KillAll{}; }
LifeAction disarm() { return action::DisarmTimer{}; }
LifeAction signal(int number) { return action::Signal{number}; }
LifeAction grace(Duration delay) { return action::ArmGrace{delay}; }
LifeAction restart_in(Duration delay) { return action::ArmRestart{delay}; }

ServiceMachine running(manifests::RestartPolicy policy) {
  ServiceMachine machine(policy);
  machine.on(event::Start{});
  machine.on(event::Started{kStart});
  return machine;
}

TEST(ServiceMachine, GoesFromCreatedToExited) {
  ServiceMachine machine({});
  EXPECT_EQ(machine.state(), ContainerState::created);
  EXPECT_THAT(machine.on(event::Start{}), ElementsAre(launch()));
  EXPECT_EQ(machine.state(), ContainerState::starting);
  EXPECT_THAT(machine.on(event::Started{kStart}), IsEmpty());
  EXPECT_EQ(machine.state(), ContainerState::running);
  EXPECT_THAT(machine.on(event::Start{}), IsEmpty()) << "it runs already";
  EXPECT_THAT(machine.on(event::Exited{kStart + 1s, 1}), IsEmpty());
  EXPECT_EQ(machine.state(), ContainerState::exited);
}

// D7.4: 100 ms, doubled each time, at most 60 s.
TEST(ServiceMachine, BacksOffBetweenRestarts) {
  ServiceMachine machine = running({.when = When::always});
  TimePoint now = kStart;
  for (const Duration delay : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms,
                               51200ms, 60000ms, 60000ms}) {
    EXPECT_THAT(machine.on(event::Exited{now + 1s, 0}), ElementsAre(restart_in(delay)));
    EXPECT_EQ(machine.state(), ContainerState::restarting);
    now += 1s + delay;
    EXPECT_THAT(machine.on(event::RestartDue{}), ElementsAre(launch()));
    machine.on(event::Started{now});
  }
  EXPECT_EQ(machine.restart_count(), 12);
}

// D7.4: anew after a run of 10 s, and not a moment earlier.
TEST(ServiceMachine, ForgetsTheBackOffAfterAStableRun) {
  ServiceMachine machine = running({.when = When::always});
  machine.on(event::Exited{kStart, 1});
  machine.on(event::RestartDue{});
  machine.on(event::Started{kStart});
  EXPECT_THAT(machine.on(event::Exited{kStart + 10s - 1ns, 1}), ElementsAre(restart_in(200ms)));
  machine.on(event::RestartDue{});
  machine.on(event::Started{kStart + 20s});
  EXPECT_THAT(machine.on(event::Exited{kStart + 30s, 1}), ElementsAre(restart_in(100ms)));
}

// D7.5: non-zero only, at most N restarts; a start by hand clears the counter.
TEST(ServiceMachine, RestartsOnFailureAtMostSoOften) {
  ServiceMachine machine = running({.when = When::on_failure, .max_attempts = 1});
  EXPECT_THAT(machine.on(event::Exited{kStart, 3}), ElementsAre(restart_in(100ms)));
  machine.on(event::RestartDue{});
  machine.on(event::Started{kStart});
  EXPECT_THAT(machine.on(event::Exited{kStart, 3}), IsEmpty());
  EXPECT_EQ(machine.state(), ContainerState::exited);
  EXPECT_EQ(machine.restart_count(), 1);
  machine.on(event::Start{});
  EXPECT_EQ(machine.restart_count(), 0);

  ServiceMachine clean = running({.when = When::on_failure});
  EXPECT_THAT(clean.on(event::Exited{kStart, 0}), IsEmpty());
}

// D7.7: the policy is not applied when the very first start fails, but it is to later ones.
TEST(ServiceMachine, DoesNotRetryTheFirstStart) {
  ServiceMachine first({.when = When::always});
  first.on(event::Start{});
  EXPECT_THAT(first.on(event::StartFailed{kStart, 127}), IsEmpty());
  EXPECT_EQ(first.state(), ContainerState::exited);

  ServiceMachine later = running({.when = When::always});
  later.on(event::Exited{kStart, 1});
  later.on(event::RestartDue{});
  EXPECT_THAT(later.on(event::StartFailed{kStart, 127}), ElementsAre(restart_in(200ms)));
}

// D7.2: the stop signal, the grace, then SIGKILL to the whole container.
TEST(ServiceMachine, KillsWhenTheGraceIsOver) {
  ServiceMachine machine = running({.when = When::always});
  EXPECT_THAT(machine.on(event::Stop{SIGINT, 10s}), ElementsAre(signal(SIGINT), grace(10s)));
  EXPECT_THAT(machine.on(event::GraceOver{}), ElementsAre(kill_all()));
  EXPECT_THAT(machine.on(event::Exited{kStart + 10s, 137}), ElementsAre(disarm()));
  EXPECT_EQ(machine.state(), ContainerState::exited) << "a stop cancels the policy (D7.6)";
  EXPECT_TRUE(machine.stopped_by_user());
  EXPECT_THAT(machine.on(event::GraceOver{}), IsEmpty()) << "a timer that fired late";
}

// D7.2: `-t 0` is immediate.
TEST(ServiceMachine, StopsAtOnceWithoutGrace) {
  ServiceMachine machine = running({});
  EXPECT_THAT(machine.on(event::Stop{SIGTERM, 0s}),
              ElementsAre(signal(SIGTERM), disarm(), kill_all()));
}

TEST(ServiceMachine, StopEndsTheWaitForARestart) {
  ServiceMachine machine = running({.when = When::unless_stopped});
  machine.on(event::Exited{kStart, 1});
  EXPECT_THAT(machine.on(event::Stop{SIGTERM, 10s}), ElementsAre(disarm()));
  EXPECT_EQ(machine.state(), ContainerState::exited);
  EXPECT_THAT(machine.on(event::RestartDue{}), IsEmpty());
}

TEST(ServiceMachine, StartByHandDoesNotWaitForTheRestart) {
  ServiceMachine machine = running({.when = When::always});
  machine.on(event::Exited{kStart, 1});
  EXPECT_THAT(machine.on(event::Start{}), ElementsAre(disarm(), launch()));
}

TEST(ServiceMachine, StaysStoppingWhenItStartsTooLate) {
  ServiceMachine machine({.when = When::always});
  machine.on(event::Start{});
  machine.on(event::Stop{SIGTERM, 10s});
  machine.on(event::Started{kStart});
  EXPECT_EQ(machine.state(), ContainerState::stopping);
}

// D7.6: a kill of PID 1 counts as a stop by hand; other signals are only passed on.
TEST(ServiceMachine, KillEndsThePolicyOnlyWithSigkill) {
  ServiceMachine machine = running({.when = When::always});
  EXPECT_THAT(machine.on(event::Kill{SIGHUP}), ElementsAre(signal(SIGHUP)));
  EXPECT_EQ(machine.state(), ContainerState::running);
  EXPECT_FALSE(machine.stopped_by_user());
  EXPECT_THAT(machine.on(event::Kill{SIGKILL}), ElementsAre(kill_all()));
  machine.on(event::Exited{kStart, 137});
  EXPECT_EQ(machine.state(), ContainerState::exited);
  EXPECT_TRUE(machine.stopped_by_user());
}

TEST(ServiceMachine, TakesUpTheBackOffOfWhatItAdopts) {
  ServiceMachine machine({.when = When::always});
  machine.adopt(ContainerState::running, 3, false, kStart);
  EXPECT_THAT(machine.on(event::Exited{kStart + 1s, 1}), ElementsAre(restart_in(800ms)));
  EXPECT_EQ(machine.restart_count(), 4);
}

// D7.4: a start that fails is no run, however long ago the last one began.
TEST(ServiceMachine, KeepsBackingOffWhileStartsFail) {
  ServiceMachine machine = running({.when = When::always});
  machine.on(event::Exited{kStart + 1s, 1});
  machine.on(event::RestartDue{});
  EXPECT_THAT(machine.on(event::StartFailed{kStart + 60s, 127}), ElementsAre(restart_in(200ms)));
}

}  // namespace
}  // namespace orchestrator
