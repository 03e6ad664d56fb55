// Health checks (Compose A6, D8).
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class HealthTest : public support::StackTest {
 protected:
  void start_with(const std::string& check) {
    manifest("services:\n  web:\n    image: IMAGE\n    healthcheck: " + check + "\n");
    up();
  }
  std::string health() { return container("web").value("Health", ""); }
  bool becomes(const std::string& wanted, milliseconds timeout = seconds(15)) {
    return wait_until([&] { return health() == wanted; }, timeout);
  }
};

// The first probe runs at once and again after short pauses, whatever the interval.
TEST_F(HealthTest, ReadySoonerThanOneInterval) {
  start_with("{test: [CMD, 'true'], interval: 1h}");
  EXPECT_TRUE(becomes("healthy", seconds(5)));
  EXPECT_THAT(must({"ps"}), HasSubstr("(healthy)"));
}

TEST_F(HealthTest, FailuresBeforeTheirTimeDoNotCount) {
  start_with("{test: [CMD, probe, exists, /ready], interval: 3s, retries: 1}");
  EXPECT_FALSE(wait_until([&] { return health() == "unhealthy"; }, milliseconds(1500)));
  ask("web", {"write", "/ready", "x"});
  EXPECT_TRUE(becomes("healthy"));
}

TEST_F(HealthTest, UnhealthyAfterSoManyRetriesAndBackAfterOneSuccess) {
  start_with("{test: [CMD, probe, exists, /ready], interval: 200ms, retries: 2}");
  EXPECT_TRUE(becomes("unhealthy"));
  ask("web", {"write", "/ready", "x"});
  EXPECT_TRUE(becomes("healthy"));
  must({"exec", "-T", "web", "rm", "/ready"});
  EXPECT_TRUE(becomes("unhealthy"));
  EXPECT_EQ(state("web"), "running") << "a verdict restarts nothing (D7.8)";
}

TEST_F(HealthTest, AProbeThatHangsFails) {
  start_with("{test: [CMD, sleep, '1000'], interval: 200ms, timeout: 200ms, retries: 2}");
  EXPECT_TRUE(becomes("unhealthy"));
  must({"stop", "-t", "1"});
}

TEST_F(HealthTest, AStringRunsInAShell) {
  start_with("{test: 'test -n \"$$HOSTNAME\" && true', interval: 1s}");
  EXPECT_TRUE(becomes("healthy"));
}

TEST_F(HealthTest, RunsAsTheServicesUser) {
  manifest(R"yaml(
services:
  web: {image: IMAGE, user: app, healthcheck: {test: 'test "$$(id -u)" = 1000', interval: 1s}}
)yaml");
  up();
  EXPECT_TRUE(becomes("healthy"));
}

TEST_F(HealthTest, DisabledHasNone) {
  start_with("{disable: true}");
  EXPECT_EQ(health(), "");
}

TEST_F(HealthTest, StoppedContainersShowNone) {
  start_with("{test: [CMD, 'true'], interval: 1s}");
  ASSERT_TRUE(becomes("healthy"));
  must({"stop"});
  EXPECT_THAT(must({"ps", "-a"}), testing::Not(HasSubstr("(healthy)")));
}

TEST_F(HealthTest, AServiceWithoutACheckCannotBeAwaitedHealthy) {
  manifest(R"(
services:
  web: {image: IMAGE, depends_on: {db: {condition: service_healthy}}}
  db: {image: IMAGE}
)");
  const auto output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("has no healthcheck configured"));
}

TEST_F(HealthTest, FiveServicesEachWaitingForTheLast) {
  std::string text = "services:\n";
  for (int i = 1; i <= 5; ++i) {
    text += "  s" + std::to_string(i) +
            ":\n    image: IMAGE\n    healthcheck: {test: [CMD, 'true'], interval: 10s}\n";
    if (i > 1)
      text += "    depends_on: {s" + std::to_string(i - 1) + ": {condition: service_healthy}}\n";
  }
  manifest(text);
  const auto begin = std::chrono::steady_clock::now();
  up({"--wait"});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10))
      << "by event, not after an interval";
}

}  // namespace
}  // namespace e2e
