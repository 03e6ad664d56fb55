// `start`, `stop`, `restart`, `kill`, `pause`, `unpause`, `rm`: a container that exists (Compose
// C4, D7).
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class LifecycleTest : public support::StackTest {
 protected:
  void start_one(const std::string& rest = "") {
    manifest("services: {web: {image: IMAGE" + rest + "}}\n");
    up();
  }
  bool becomes(const std::string& wanted, const std::string& service = "web") {
    return wait_until([&] { return state(service) == wanted; }, seconds(15));
  }
};

TEST_F(LifecycleTest, StopKeepsTheContainerAndStartGoesOnWithIt) {
  start_one();
  const std::string before = id("web");
  ask("web", {"write", "/kept", "text"});
  must({"stop"});
  EXPECT_EQ(state("web"), "exited");
  must({"start"});
  EXPECT_EQ(state("web"), "running");
  EXPECT_EQ(id("web"), before);
  EXPECT_EQ(ask("web", {"cat", "/kept"}), "text\n")
      << "the writable layer lives until removal (D7.11)";
}

TEST_F(LifecycleTest, StartNeverCreates) {
  manifest("services: {web: {image: IMAGE}}\n");
  EXPECT_THAT(stack({"start"}), ExitsWith(1));
  EXPECT_THAT(containers(), IsEmpty());
}

// A2: stop_signal. D7.1: exit codes.
TEST_F(LifecycleTest, StopSendsTheServicesSignal) {
  start_one(", command: probe serve 5, stop_signal: SIGINT");
  must({"stop"});
  EXPECT_EQ(logs("web"), "ready\nsignal 2\n");
  EXPECT_EQ(container("web").at("ExitCode"), 5);
}

// A2: stop_grace_period. D7.2: SIGKILL after it.
TEST_F(LifecycleTest, StopKillsAfterTheGracePeriod) {
  start_one(", command: probe ignore-term, stop_grace_period: 1s");
  const auto begin = std::chrono::steady_clock::now();
  must({"stop"});
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, seconds(1));
  EXPECT_LT(took, seconds(5));
  EXPECT_EQ(container("web").at("ExitCode"), 137);
}

TEST_F(LifecycleTest, StopWithTimeoutZeroKillsAtOnce) {
  start_one(", command: probe ignore-term");
  const auto begin = std::chrono::steady_clock::now();
  must({"stop", "-t", "0"});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_EQ(container("web").at("ExitCode"), 137);
}

TEST_F(LifecycleTest, RestartIsTheSameContainerWithANewProcess) {
  start_one();
  const std::string before = id("web");
  const pid_t pid = init_pid("web");
  must({"restart"});
  EXPECT_EQ(id("web"), before);
  EXPECT_NE(init_pid("web"), pid);
  must({"stop"});
  must({"restart"});
  EXPECT_EQ(state("web"), "running") << "starts stopped ones too";
}

TEST_F(LifecycleTest, RestartTakesDependentsThatAskForIt) {
  manifest(R"(
services:
  db: {image: IMAGE}
  follows: {image: IMAGE, depends_on: {db: {condition: service_started, restart: true}}}
  stays: {image: IMAGE, depends_on: {db: {condition: service_started}}}
)");
  up();
  const pid_t follows = init_pid("follows"), stays = init_pid("stays");
  must({"restart", "db"});
  EXPECT_NE(init_pid("follows"), follows);
  EXPECT_EQ(init_pid("stays"), stays);
  const pid_t again = init_pid("follows");
  must({"restart", "--no-deps", "db"});
  EXPECT_EQ(init_pid("follows"), again);
}

TEST_F(LifecycleTest, KillSendsAnySignal) {
  start_one(", command: probe report-signals");
  must({"kill", "-s", "USR1"});
  EXPECT_TRUE(wait_until([&] { return logs("web") == "ready\nsignal 10\n"; }));
  EXPECT_EQ(state("web"), "running");
  must({"kill"});
  EXPECT_TRUE(becomes("exited"));
  EXPECT_EQ(container("web").at("ExitCode"), 137);
  EXPECT_THAT(stack({"kill", "-s", "NOPE"}), ExitsWith(1));
}

TEST_F(LifecycleTest, KillIsAManualStop) {
  start_one(", restart: always");
  must({"kill"});
  EXPECT_TRUE(becomes("exited"));
}

TEST_F(LifecycleTest, PauseFreezesAndUnpauseGoesOn) {
  start_one(", command: probe count 100000 20");
  ASSERT_TRUE(wait_until([&] { return !logs("web").empty(); }));
  must({"pause"});
  EXPECT_EQ(state("web"), "paused");
  EXPECT_THAT(must({"ps"}), HasSubstr("(Paused)"));
  const std::string frozen = logs("web");
  EXPECT_FALSE(wait_until([&] { return logs("web") != frozen; }, milliseconds(300)));
  must({"unpause"});
  EXPECT_EQ(state("web"), "running");
  EXPECT_TRUE(wait_until([&] { return logs("web") != frozen; }));
}

TEST_F(LifecycleTest, PausedContainersSayWhatTheyCannot) {
  start_one();
  EXPECT_THAT(stack({"unpause"}), ExitsWith(1));
  must({"pause"});
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("cannot start a paused container, try unpause instead"));
  must({"stop"});
  EXPECT_EQ(state("web"), "exited") << "stop thaws first (D7.9)";
}

TEST_F(LifecycleTest, RmTakesStoppedContainersOnly) {
  manifest("services: {web: {image: IMAGE}, job: {image: IMAGE, command: probe exit 0}}\n");
  up();
  ASSERT_TRUE(becomes("exited", "job"));
  must({"rm", "-f"});
  EXPECT_EQ(state("job"), "");
  EXPECT_EQ(state("web"), "running");
  must({"rm", "-f", "-s"});
  EXPECT_EQ(state("web"), "");
}

TEST_F(LifecycleTest, UnknownServicesAreNamed) {
  start_one();
  for (const char* command :
       {"start", "stop", "restart", "kill", "pause", "unpause", "logs", "top"}) {
    const Output output = stack({command, "nope"});
    EXPECT_THAT(output, ExitsWith(1)) << command;
    EXPECT_THAT(output.err, HasSubstr("no such service: nope")) << command;
  }
}

// D6.2: the exit code of what cannot be started is recorded.
TEST_F(LifecycleTest, RecordsWhyAProgramCouldNotStart) {
  manifest("services: {web: {image: IMAGE, command: no-such-program}}\n");
  const Output missing = stack({"up", "-d"});
  EXPECT_THAT(missing, ExitsWith(1));
  EXPECT_THAT(missing.err,
              AllOf(HasSubstr("no-such-program"), HasSubstr("executable file not found in $PATH")));
  EXPECT_EQ(state("web"), "created");
  EXPECT_EQ(container("web").at("ExitCode"), 127);
  manifest("services: {web: {image: IMAGE, command: /etc/passwd}}\n");
  EXPECT_THAT(stack({"up", "-d"}).err, HasSubstr("permission denied"));
  EXPECT_EQ(container("web").at("ExitCode"), 126);
}

// D7.1
TEST_F(LifecycleTest, ASignalIsAnExitCode) {
  start_one(", command: \"sh -c 'kill -9 $$$$'\", init: true");
  ASSERT_TRUE(becomes("exited"));
  EXPECT_EQ(container("web").at("ExitCode"), 137);
}

// A2: init. PID 1 forwards signals and reaps orphans.
TEST_F(LifecycleTest, InitForwardsAndReaps) {
  start_one(", init: true, command: probe report-signals");
  EXPECT_THAT(ask("web", {"cat", "/proc/1/cmdline"}), HasSubstr("init"));
  must({"kill", "-s", "USR2"});
  EXPECT_TRUE(wait_until([&] { return logs("web").find("signal 12") != std::string::npos; }));
  ask("web", {"orphan", "50"});
  EXPECT_TRUE(
      wait_until([&] { return must({"top"}).find("orphan") == std::string::npos; }, seconds(5)));
  EXPECT_EQ(ask("web", {"stat", "/sbin/docker-init"}).substr(0, 1), "-");
}

}  // namespace
}  // namespace e2e
