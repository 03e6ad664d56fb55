// A SIGKILL at any time: containers stay, and the next command adopts, finishes or undoes.
#include <fcntl.h>

#include <filesystem>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class CrashTest : public support::StackTest {
 protected:
  void kill_supervisor() {
    const auto pid = supervisor_pid();
    ASSERT_TRUE(pid.has_value());
    ::kill(*pid, SIGKILL);
    ASSERT_TRUE(wait_until([&] { return supervisor_pid() != pid; }, seconds(10)));
  }
};

constexpr const char* kThree = R"(
services:
  a: {image: IMAGE, command: probe http 80 a}
  b: {image: IMAGE, depends_on: [a]}
  c: {image: IMAGE, depends_on: [b], restart: always}
)";

// A lock or a pipe of whoever runs `up` must not be held for as long as the stack runs.
TEST_F(CrashTest, TheSupervisorKeepsNothingOfItsCallerOpen) {
  manifest("services: {a: {image: IMAGE}}\n");
  const std::string path = directory() + "/held";
  const os::UniqueFd file = os::open_file(path, O_WRONLY | O_CREAT);
  const os::UniqueFd held(::fcntl(file.get(), F_DUPFD, 20));  // not closed on exec
  ASSERT_GE(held.get(), 20);
  up();
  for (const pid_t pid : {supervisor_pid().value(), monitor_pid("a")})
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
      EXPECT_NE(std::filesystem::read_symlink(entry.path()), path) << "process " << pid;
}

TEST_F(CrashTest, ContainersOutliveTheSupervisorAndAreAdopted) {
  manifest(kThree);
  up();
  const pid_t a = init_pid("a"), b = init_pid("b");
  kill_supervisor();
  EXPECT_EQ(::kill(a, 0), 0);
  EXPECT_EQ(::kill(b, 0), 0);
  EXPECT_EQ(state("a"), "running");
  up();
  EXPECT_EQ(init_pid("a"), a);
  EXPECT_EQ(init_pid("b"), b);
  must({"down"});
  expect_nothing_left();
}

TEST_F(CrashTest, ANewSupervisorStartsByItself) {
  manifest(kThree);
  up();
  kill_supervisor();
  EXPECT_TRUE(wait_until([&] { return supervisor_pid().has_value(); }, seconds(15)));
}

TEST_F(CrashTest, RestartPoliciesGoOnAfterwards) {
  manifest(kThree);
  up();
  kill_supervisor();
  ASSERT_TRUE(wait_until([&] { return supervisor_pid().has_value(); }, seconds(15)));
  const pid_t before = init_pid("c");
  ::kill(before, SIGKILL);
  const auto runs_anew = [&] {
    return state("c") == "running" && find_init_pid("c").value_or(before) != before;
  };
  EXPECT_TRUE(wait_until(runs_anew, seconds(15)));
}

TEST_F(CrashTest, NamesAndPortsGoOnAfterwards) {
  const int port = support::free_port();
  manifest("services: {a: {image: IMAGE, command: probe http 80 a, ports: ['" +
           std::to_string(port) + ":80']}, b: {image: IMAGE}}\n");
  up();
  kill_supervisor();
  EXPECT_TRUE(wait_until([&] { return http_get("127.0.0.1", port).has_value(); }, seconds(10)));
  EXPECT_TRUE(wait_until([&] { return probe("b", {"resolve", "a"}).code == 0; }, seconds(15)));
}

TEST_F(CrashTest, DownAfterACrashLeavesNothing) {
  manifest(kThree);
  up();
  kill_supervisor();
  must({"down"});
  expect_nothing_left();
}

// The supervisor dies at some moment of an `up`; the next one mends what was half made.
TEST_F(CrashTest, AnUpThatWasKilledIsMendedByTheNext) {
  manifest(kThree);
  for (const milliseconds after :
       {milliseconds(2), milliseconds(10), milliseconds(25), milliseconds(60)}) {
    Command command = start({"up", "-d"});
    wait_until([&] { return supervisor_pid().has_value() || command.has_ended(); });
    wait_until([] { return false; }, after);
    if (const auto pid = supervisor_pid()) ::kill(*pid, SIGKILL);
    command.wait();
    up();
    for (const char* service : {"a", "b", "c"})
      EXPECT_EQ(state(service), "running") << service << " " << after.count();
    EXPECT_EQ(containers().size(), 3U);
    must({"down", "-t", "1"});
    expect_nothing_left();
  }
}

TEST_F(CrashTest, AnUpThatWasKilledIsClearedByDown) {
  manifest(kThree);
  for (const milliseconds after : {milliseconds(5), milliseconds(30)}) {
    Command command = start({"up", "-d"});
    wait_until([&] { return supervisor_pid().has_value() || command.has_ended(); });
    wait_until([] { return false; }, after);
    if (const auto pid = supervisor_pid()) ::kill(*pid, SIGKILL);
    command.send_signal(SIGKILL);
    command.wait();
    must({"down", "-t", "1"});
    expect_nothing_left();
  }
}

// The command alone dies: the supervisor stays, and the next command is served.
TEST_F(CrashTest, AKilledCommandHarmsNothing) {
  manifest(kThree);
  Command command = start({"up"});
  ASSERT_TRUE(command.wait_for_output("a-1  | ready"));
  command.send_signal(SIGKILL);
  command.wait();
  EXPECT_EQ(state("a"), "running");
}

TEST_F(CrashTest, AKilledMonitorEndsItsContainerAndTheNextUpMendsIt) {
  manifest("services: {a: {image: IMAGE}}\n");
  up();
  const pid_t monitor = monitor_pid("a"), init = init_pid("a");
  ::kill(monitor, SIGKILL);
  EXPECT_TRUE(wait_until([&] { return state("a") != "running"; }, seconds(10)));
  EXPECT_TRUE(wait_until([&] { return ::kill(init, 0) != 0; }, seconds(10)));
  up();
  EXPECT_EQ(state("a"), "running");
}

// Two commands at once queue, they never race.
TEST_F(CrashTest, CommandsAtOnceQueue) {
  manifest(kThree);
  std::vector<Command> commands;
  for (int i = 0; i < 4; ++i) commands.push_back(start({"up", "-d"}));
  for (Command& command : commands) EXPECT_THAT(command.wait(), ExitsWith(0));
  EXPECT_EQ(containers().size(), 3U);
}

}  // namespace
}  // namespace e2e
