// Restart policies (Compose A2 `restart`, A4 `deploy.restart_policy`, D7).
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class RestartPolicyTest : public support::StackTest {
 protected:
  void start_one(const std::string& rest) {
    manifest("services: {job: {image: IMAGE, " + rest + "}}\n");
    up();
  }
  // How often it has started, by what it logged.
  std::size_t starts() { return split_lines(logs("job")).size(); }
  bool starts_at_least(std::size_t count) {
    return wait_until([&] { return starts() >= count; }, seconds(20));
  }
};

TEST_F(RestartPolicyTest, NoIsTheDefault) {
  start_one("command: probe say out:started");
  ASSERT_TRUE(wait_until([&] { return state("job") == "exited"; }));
  EXPECT_FALSE(wait_until([&] { return starts() > 1; }, milliseconds(500)));
}

TEST_F(RestartPolicyTest, AlwaysStartsAgainAfterSuccess) {
  start_one("command: probe say out:started, restart: always");
  EXPECT_TRUE(starts_at_least(3));
}

TEST_F(RestartPolicyTest, OnFailureStopsAtSuccess) {
  start_one("command: probe fail-times /count 2, restart: on-failure");
  EXPECT_TRUE(starts_at_least(3));
  EXPECT_TRUE(wait_until([&] { return state("job") == "exited"; }));
  EXPECT_EQ(container("job").at("ExitCode"), 0);
}

TEST_F(RestartPolicyTest, OnFailureGivesUpAfterSoMany) {
  start_one("command: \"sh -c 'echo started; exit 4'\", restart: 'on-failure:2'");
  EXPECT_TRUE(starts_at_least(3));
  EXPECT_TRUE(wait_until([&] { return state("job") == "exited"; }));
  EXPECT_EQ(starts(), 3U);
  EXPECT_EQ(container("job").at("ExitCode"), 4);
}

TEST_F(RestartPolicyTest, DeploysPolicyWins) {
  start_one(
      "command: \"sh -c 'echo started; exit 4'\", restart: 'no', deploy: {restart_policy: "
      "{condition: on-failure, max_attempts: 1}}");
  EXPECT_TRUE(starts_at_least(2));
  EXPECT_TRUE(wait_until([&] { return state("job") == "exited"; }));
  EXPECT_EQ(starts(), 2U);
}

TEST_F(RestartPolicyTest, StopEndsIt) {
  start_one("command: probe serve, restart: always");
  must({"stop"});
  EXPECT_FALSE(wait_until([&] { return state("job") != "exited"; }, milliseconds(700)));
}

TEST_F(RestartPolicyTest, WaitingShowsAsRestarting) {
  start_one("command: probe exit 2, restart: always");
  EXPECT_TRUE(wait_until([&] { return state("job") == "restarting"; }, seconds(15)));
  // By then it may run again, or have just ended once more.
  EXPECT_TRUE(wait_until(
      [&] {
        return must({"ps", "-a"}).find("Restarting (2)") != std::string::npos;
      },
      seconds(15)));
}

// D7.4: 100 ms, doubled each time.
TEST_F(RestartPolicyTest, PausesGrow) {
  start_one("command: probe say out:started, restart: always");
  ASSERT_TRUE(starts_at_least(2));
  const auto begin = std::chrono::steady_clock::now();
  const std::size_t before = starts();
  ASSERT_TRUE(starts_at_least(before + 3));
  EXPECT_GT(std::chrono::steady_clock::now() - begin, milliseconds(500));
}

// The container's own name, address and files stay over a restart.
TEST_F(RestartPolicyTest, KeepsTheContainer) {
  start_one(
      "command: \"sh -c 'echo started; test -e /mark || { touch /mark; exit 1; }; exec probe "
      "serve'\", restart: on-failure");
  EXPECT_TRUE(wait_until([&] { return logs("job").find("ready") != std::string::npos; }));
  EXPECT_EQ(state("job"), "running");
  EXPECT_EQ(containers().size(), 1U);
}

}  // namespace
}  // namespace e2e
