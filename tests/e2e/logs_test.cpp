// `logs`: what containers have said, whole and in order (Compose C4, D9).
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class LogsTest : public support::StackTest {
 protected:
  void run_to_end(const std::string& text) {
    manifest(text);
    up();
    ASSERT_TRUE(wait_until([&] {
      for (const auto& one : containers())
        if (one.at("State") != "exited") return false;
      return true;
    }));
  }
};

TEST_F(LogsTest, ShowsBothStreamsWithThePrefix) {
  run_to_end("services: {a: {image: IMAGE, command: 'probe say out:one err:two out:three'}}\n");
  const Output output = stack({"logs"});
  ASSERT_THAT(output, ExitsWith(0));
  // Two pipes: each keeps its own order, and nobody can know that of both.
  EXPECT_THAT(split_lines(output.out),
              testing::UnorderedElementsAre("a-1  | one", "a-1  | two", "a-1  | three"));
  EXPECT_LT(output.out.find("one"), output.out.find("three"));
  EXPECT_EQ(output.err, "");
}

TEST_F(LogsTest, TailLimitsEachContainer) {
  run_to_end(R"(
services:
  a: {image: IMAGE, command: probe count 5 0}
  b: {image: IMAGE, command: probe count 5 0}
)");
  EXPECT_EQ(split_lines(must({"logs", "--tail", "2"})).size(), 4U);
  EXPECT_EQ(must({"logs", "--no-log-prefix", "-n", "1", "a"}), "line 5\n");
  EXPECT_EQ(must({"logs", "--no-log-prefix", "--tail", "0", "a"}), "");
}

TEST_F(LogsTest, TimestampsAreRfc3339) {
  run_to_end("services: {a: {image: IMAGE, command: 'probe say out:x'}}\n");
  EXPECT_THAT(must({"logs", "-t"}), MatchesRegex("a-1  \\| [0-9-]{10}T[0-9:]{8}\\.[0-9]+Z x\n"));
}

TEST_F(LogsTest, SinceAndUntilCut) {
  run_to_end("services: {a: {image: IMAGE, command: probe say out:early}}\n");
  EXPECT_THAT(must({"logs", "--since", "10m"}), HasSubstr("early"));
  EXPECT_THAT(must({"logs", "--since", "2100-01-01T00:00:00Z"}), Not(HasSubstr("early")));
  EXPECT_THAT(must({"logs", "--until", "2000-01-01T00:00:00Z"}), Not(HasSubstr("early")));
}

TEST_F(LogsTest, FollowSeesWhatComesAndEndsWithTheContainer) {
  manifest("services: {a: {image: IMAGE, command: probe count 10 100}}\n");
  up();
  const Output output = stack({"logs", "-f", "--no-log-prefix"});
  EXPECT_THAT(output, ExitsWith(0));
  EXPECT_EQ(split_lines(output.out).size(), 10U) << output.out;
}

TEST_F(LogsTest, FollowSeesARestartedContainer) {
  manifest("services: {a: {image: IMAGE, command: probe serve}}\n");
  up();
  Command follow = start({"logs", "-f", "--no-log-prefix"});
  ASSERT_TRUE(follow.wait_for_output("ready"));
  must({"restart"});
  EXPECT_TRUE(follow.wait_for_output("ready\nsignal 15\nready")) << follow.out();
  follow.send_signal(SIGINT);
  EXPECT_THAT(follow.wait(), ExitsWith(130));
}

// D9.7: a last line without its newline is delivered.
TEST_F(LogsTest, TheLastLineNeedsNoNewline) {
  run_to_end("services: {a: {image: IMAGE, command: 'probe say out:whole OUT:half'}}\n");
  EXPECT_EQ(logs("a"), "whole\nhalf\n");
}

// D9.1: a line longer than a piece of the log is put together again.
TEST_F(LogsTest, LongLinesStayWhole) {
  run_to_end("services: {a: {image: IMAGE, command: probe write-bytes 100000 0}}\n");
  EXPECT_EQ(split_lines(logs("a")).front().size(), 100000U);
}

TEST_F(LogsTest, NothingIsLostOfAFastWriter) {
  run_to_end("services: {a: {image: IMAGE, command: probe write-bytes 8000000 79}}\n");
  EXPECT_EQ(logs("a").size(), 8'000'000U);
}

// D9.6: appended over restarts, gone with the container.
TEST_F(LogsTest, OutliveStopAndStart) {
  manifest("services: {a: {image: IMAGE, command: probe serve}}\n");
  up();
  must({"stop"});
  must({"start"});
  EXPECT_TRUE(wait_until([&] { return logs("a") == "ready\nsignal 15\nready\n"; })) << logs("a");
  up({"--force-recreate"});
  EXPECT_TRUE(wait_until([&] { return logs("a") == "ready\n"; })) << logs("a");
}

TEST_F(LogsTest, NamedServiceOnly) {
  run_to_end(R"(
services:
  a: {image: IMAGE, command: probe say out:from-a}
  b: {image: IMAGE, command: probe say out:from-b}
)");
  EXPECT_THAT(must({"logs", "b"}), AllOf(HasSubstr("from-b"), Not(HasSubstr("from-a"))));
  const Output unknown = stack({"logs", "nope"});
  EXPECT_THAT(unknown, ExitsWith(1));
  EXPECT_THAT(unknown.err, HasSubstr("no such service: nope"));
}

TEST_F(LogsTest, ContainerNameIsThePrefix) {
  run_to_end(
      "services: {a: {image: IMAGE, container_name: "
      "my-own-name, command: probe say out:x}}\n");
  EXPECT_EQ(must({"logs"}), "my-own-name  | x\n");
}

TEST_F(LogsTest, AreReadableWhileTheSupervisorIsGone) {
  manifest("services: {a: {image: IMAGE, command: probe serve}}\n");
  up();
  ASSERT_TRUE(wait_until([&] { return logs("a") == "ready\n"; }));
  kill(*supervisor_pid(), SIGKILL);
  EXPECT_EQ(logs("a"), "ready\n");
}

}  // namespace
}  // namespace e2e
