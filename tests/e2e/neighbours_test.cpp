// A service that misbehaves, and the others, which must not notice.
#include <cmath>
#include <filesystem>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

using std::chrono::steady_clock;

class NeighboursTest : public support::StackTest {
 protected:
  /// Brings up `good`, which is healthy and serves, and beside it `bad`.
  void start_beside(const std::string& bad, const std::string& image = "IMAGE") {
    port_ = support::free_port();
    manifest(
        "services:\n  good:\n    image: IMAGE\n    command: probe http 80 good\n    ports: ['" +
        std::to_string(port_) +
        ":80']\n    healthcheck: {test: [CMD, probe, get, 127.0.0.1, '80'], interval: 1s, "
        "timeout: 20s, retries: 3}\n  bad: {image: " +
        image + ", " + bad + "}\n");
    up();
    ASSERT_TRUE(wait_until([&] { return container("good").at("Health") == "healthy"; }));
    good_ = init_pid("good");
  }
  /// It has answered, kept its process, its health and its quiet.
  void expect_good_is_well() {
    EXPECT_EQ(http_get("127.0.0.1", port_).value_or("").substr(0, 9), "name=good");
    EXPECT_EQ(init_pid("good"), good_);
    const nlohmann::json good = container("good");
    EXPECT_EQ(good.at("State"), "running");
    EXPECT_EQ(good.at("Health"), "healthy");
    EXPECT_EQ(logs("good"), "ready\n");
    for (const nlohmann::json& event : events()) {
      if (event.value("service", "") != "good") continue;
      EXPECT_THAT(event.value("action", ""), AnyOf("create", "start", "health_status: healthy"));
    }
  }
  std::vector<nlohmann::json> events() {
    return support::json_lines(
        os::read_file(run_directory() + "/projects/" + project() + "/events.jsonl"));
  }
  std::size_t count_events(const std::string& service, const std::string& action) {
    std::size_t count = 0;
    for (const nlohmann::json& event : events())
      if (event.value("service", "") == service && event.value("action", "") == action) ++count;
    return count;
  }

  int port_ = 0;
  pid_t good_ = 0;
};

// Of "2026-01-02T03:04:05.678901234Z".
double seconds_of_day(const std::string& time) {
  return std::stod(time.substr(11, 2)) * 3600 + std::stod(time.substr(14, 2)) * 60 +
         std::stod(time.substr(17));
}

// Each one that is let live starts more, for ever; never more than its limit are there.
TEST_F(NeighboursTest, AForkBomb) {
  start_beside("pids_limit: 40, command: \"sh -c 'while :; do probe fork 400 > /dev/null; done'\"");
  for (int i = 0; i < 5; ++i) {
    expect_good_is_well();
    EXPECT_EQ(probe("good", {"fork", "20"}).out, "20 ok\n");
  }
  const auto begin = steady_clock::now();
  while (steady_clock::now() - begin < seconds(2)) {
    std::size_t inside = 0;
    for (const std::string& process : support::stack_processes())
      if (process.find("probe fork 400") != std::string::npos) ++inside;
    ASSERT_LE(inside, 40U);
  }
  expect_good_is_well();
  must({"down", "-t", "1"});
  expect_nothing_left();
}

TEST_F(NeighboursTest, AMemoryHog) {
  start_beside(
      "mem_limit: 16m, memswap_limit: 16m, command: probe eat 64 5, restart: 'on-failure:3'");
  ASSERT_TRUE(wait_until([&] { return count_events("bad", "die") == 4; }));
  ASSERT_TRUE(wait_until([&] { return state("bad") == "exited"; }));
  EXPECT_EQ(count_events("bad", "oom"), 4U);
  EXPECT_EQ(container("bad").at("ExitCode"), 137);
  EXPECT_TRUE(record("bad").at("outcome").at("oom_killed").get<bool>());
  EXPECT_THAT(must({"ps", "--all"}),
              AllOf(HasSubstr("Exited (137)"), HasSubstr("(out of memory)")));
  expect_good_is_well();
}

TEST_F(NeighboursTest, WhoWaitsForAMemoryHogIsToldWhy) {
  manifest(R"(
services:
  front: {image: IMAGE, depends_on: {hog: {condition: service_completed_successfully}}}
  hog: {image: IMAGE, mem_limit: 16m, memswap_limit: 16m, command: probe eat 64 5}
)");
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, AllOf(HasSubstr("exit 137"), HasSubstr("more memory than its limit")));
  manifest(
      "services: {hog: {image: IMAGE, mem_limit: 16m, memswap_limit: 16m, command: probe eat 64 "
      "5}}\n");
  EXPECT_THAT(stack({"up"}).out, HasSubstr("exited with code 137 (out of memory)"));
}

TEST_F(NeighboursTest, AGigabyteOfOutput) {
  start_beside(
      "command: probe write-bytes 1073741824, logging: {options: {max-size: 4m, max-file: '3'}}");
  const std::string log = data_directory() + "/containers/" + id("bad");
  while (state("bad") == "running") {
    expect_good_is_well();
    std::uintmax_t kept = 0;
    for (const std::string& name : os::list_directory(log)) {
      if (!name.starts_with("container.log")) continue;
      std::error_code rotated;
      const std::uintmax_t size = std::filesystem::file_size(log + "/" + name, rotated);
      if (!rotated) kept += size;
    }
    ASSERT_LE(kept, (4U << 20) * 3 + (1U << 20)) << "what is kept of it is bounded";
    if (HasFailure()) break;
  }
  EXPECT_EQ(container("bad").at("ExitCode"), 0);
  EXPECT_LT(stack({"logs", "--no-log-prefix", "bad"}).out.size(), (4U << 20) * 3);
  expect_good_is_well();
}

TEST_F(NeighboursTest, OneThatIgnoresTheStopSignalIsNamedAtOnceAndKilledAtItsGrace) {
  start_beside("command: probe ignore-term, stop_grace_period: 3s");
  ASSERT_TRUE(wait_until([&] { return logs("bad") == "ready\n"; }));
  const auto begin = steady_clock::now();
  Command command = start({"stop"});
  const std::string words =
      "container " + project() + "-bad-1: its process 1 ignores SIGTERM and will be killed in 3s";
  ASSERT_TRUE(wait_until([&] { return command.err().find(words) != std::string::npos; }));
  EXPECT_EQ(state("bad"), "running") << "it is said before the grace is over";
  EXPECT_THAT(command.wait(), ExitsWith(0));
  EXPECT_GE(steady_clock::now() - begin, seconds(3));
  EXPECT_EQ(container("bad").at("ExitCode"), 137);
  EXPECT_THAT(command.err(), Not(HasSubstr("-good-1: its process")));
  EXPECT_EQ(container("good").at("ExitCode"), 0) << "it was not kept waiting";
  must({"down"});
  expect_nothing_left();
}

// A process 1 that has no handler never gets the signal; `init: true` mends that.
TEST_F(NeighboursTest, SoIsOneThatHasNoHandlerForIt) {
  manifest(R"(
services:
  plain: {image: IMAGE, command: sleep 1000, stop_grace_period: 1s}
  init: {image: IMAGE, command: sleep 1000, init: true}
)");
  up();
  const Output output = stack({"stop"});
  EXPECT_THAT(output, ExitsWith(0));
  EXPECT_THAT(output.err, AllOf(HasSubstr("-plain-1: its process 1 ignores SIGTERM"),
                                HasSubstr("init: true"), Not(HasSubstr("-init-1: its process"))));
  EXPECT_EQ(container("init").at("ExitCode"), 143);
}

TEST_F(NeighboursTest, OneThatEndsAtOnceForEver) {
  start_beside("command: probe exit 1, restart: always");
  ASSERT_TRUE(wait_until([&] { return count_events("bad", "die") >= 6; }));
  // Six runs have five pauses between them, each twice as long as the one before.
  std::vector<double> times;
  for (const nlohmann::json& event : events())
    if (event.value("service", "") == "bad" && event.value("action", "") == "start")
      times.push_back(seconds_of_day(event.at("time")));
  ASSERT_GE(times.size(), 6U);
  constexpr double kDay = 86400;
  for (std::size_t i = 1; i < 6; ++i)
    EXPECT_GE(std::fmod(times[i] - times[i - 1] + kDay, kDay), 0.1 * (1 << (i - 1)));
  expect_good_is_well();
  must({"down"});
  expect_nothing_left();
}

}  // namespace
}  // namespace e2e
