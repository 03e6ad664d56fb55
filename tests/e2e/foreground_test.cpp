// `up` in the foreground: logs from the first start on, interrupts at any time (Compose C4).
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

/// `second` never starts: `first` does not become healthy.
constexpr const char* kNeverReady = R"(
services:
  first:
    image: IMAGE
    healthcheck: {test: [CMD, probe, exit, '1'], interval: 1h, start_period: 1h}
  second:
    image: IMAGE
    depends_on: {first: {condition: service_healthy}}
)";

class ForegroundTest : public support::StackTest {};

TEST_F(ForegroundTest, ShowsLogsWhileOthersWaitToStart) {
  manifest(kNeverReady);
  Command command = start({"up"});
  EXPECT_TRUE(command.wait_for_output("first-1   | ready")) << command.out();
  EXPECT_THAT(command.out(), HasSubstr("Attaching to first-1, second-1\n"));
  EXPECT_FALSE(command.has_ended());
  command.send_signal(SIGINT);
  EXPECT_THAT(command.wait(seconds(20)), ExitsWith(130));
}

TEST_F(ForegroundTest, InterruptWhileStartingStopsGracefully) {
  manifest(kNeverReady);
  Command command = start({"up"});
  ASSERT_TRUE(command.wait_for_output("first-1   | ready"));
  command.send_signal(SIGINT);
  const Output output = command.wait(seconds(20));
  EXPECT_THAT(output, ExitsWith(130));
  EXPECT_THAT(output.err, HasSubstr("Gracefully Stopping... press Ctrl+C again to force"));
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("first-1   | signal 15"), HasSubstr("first-1 exited with code 0")));
  EXPECT_EQ(state("first"), "exited");
  EXPECT_EQ(state("second"), "created");
}

TEST_F(ForegroundTest, AFailureToStartEndsIt) {
  manifest(R"(
services:
  job: {image: IMAGE, command: probe exit 3}
  web: {image: IMAGE, depends_on: {job: {condition: service_completed_successfully}}}
)");
  const Output output = stack({"up"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("didn't complete successfully: exit 3"));
}

TEST_F(ForegroundTest, WhatWasSaidBeforeIsNotShownAgain) {
  manifest("services: {web: {image: IMAGE}, job: {image: IMAGE, command: probe say out:done}}\n");
  up();
  ASSERT_TRUE(wait_until([&] { return logs("web") == "ready\n"; }));
  Command command = start({"up"});
  ASSERT_TRUE(command.wait_for_output("job-1 exited with code 0"));
  EXPECT_THAT(command.out(), AllOf(HasSubstr("job-1  | done"), Not(HasSubstr("ready"))));
  command.send_signal(SIGINT);
  EXPECT_THAT(command.wait(seconds(20)), ExitsWith(130));
}

TEST_F(ForegroundTest, TheEndOfWhatIsRecreatedIsNotShown) {
  manifest("services: {web: {image: IMAGE}}\n");
  up();
  Command command = start({"up", "--force-recreate"});
  ASSERT_TRUE(command.wait_for_output("web-1  | ready"));
  EXPECT_THAT(command.out(), Not(HasSubstr("exited")));
  command.send_signal(SIGINT);
  EXPECT_THAT(command.wait(seconds(20)), ExitsWith(130));
}

TEST_F(ForegroundTest, OnATerminalLogsAndProgressKeepLinesApart) {
  manifest(kNeverReady);
  environment()["TERM"] = "xterm";
  CommandOptions options;
  options.terminal = true;
  Command command = start({"up"}, options);
  ASSERT_TRUE(command.wait_for_output("ready")) << command.out();
  // The block is drawn again below the log.
  const auto redrawn = [&] {
    const std::string text = command.out();
    return text.find("[+] Running", text.find("ready")) != std::string::npos;
  };
  EXPECT_TRUE(wait_until(redrawn));
  command.send_signal(SIGINT);
  const Output output = command.wait(seconds(20));
  EXPECT_THAT(output, ExitsWith(130));
  const auto line = output.out.find("\033[36mfirst-1   | \033[0mready\r\n");
  ASSERT_NE(line, std::string::npos) << output;
  EXPECT_THAT(output.out.substr(0, line),
              testing::AnyOf(testing::EndsWith("\r\n"), testing::EndsWith("\r\033[J")));
}

}  // namespace
}  // namespace e2e
