// The hands of all the other tests: a program is run, watched and ended as asked.
#include "tests/support/command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace e2e {
namespace {

using std::chrono::milliseconds;
using support::Command;
using support::CommandOptions;
using support::Output;
using testing::HasSubstr;

CommandOptions with_path() {
  CommandOptions options;
  options.environment = {{"PATH", "/usr/bin:/bin"}};
  return options;
}

Command shell(const std::string& script, const CommandOptions& options = with_path()) {
  return Command({"/bin/sh", "-c", script}, options);
}

TEST(CommandTest, KeepsOutputAndCode) {
  const Output output = shell("echo out; echo err >&2; exit 3").wait();
  EXPECT_EQ(output.code, 3);
  EXPECT_EQ(output.out, "out\n");
  EXPECT_EQ(output.err, "err\n");
}

TEST(CommandTest, ASignalIsItsNumberPast128) { EXPECT_EQ(shell("kill -TERM $$").wait().code, 143); }

TEST(CommandTest, EndsWhatTakesTooLong) {
  const Output output = shell("exec sleep 100").wait(milliseconds(100));
  EXPECT_TRUE(output.timed_out);
  EXPECT_EQ(output.code, 137);
}

TEST(CommandTest, WorksInItsDirectoryWithItsEnvironmentAlone) {
  CommandOptions options = with_path();
  options.working_directory = "/usr";
  options.environment["ONLY"] = "this";
  const Output output = shell("pwd; echo $ONLY$HOME", options).wait();
  EXPECT_EQ(output.out, "/usr\nthis\n");
}

TEST(CommandTest, WritesToItsInput) {
  CommandOptions options = with_path();
  options.open_input = true;
  Command command = shell("cat; echo end", options);
  command.write_input("text\n");
  EXPECT_TRUE(command.wait_for_output("text"));
  command.close_input();
  EXPECT_EQ(command.wait().out, "text\nend\n");
}

TEST(CommandTest, GivesATerminal) {
  CommandOptions options = with_path();
  options.terminal = true;
  Command command =
      shell("test -t 0 && test -t 1 && test -t 2 && read line && echo got $line", options);
  command.write_input("word\n");
  const Output output = command.wait();
  EXPECT_EQ(output.code, 0);
  EXPECT_THAT(output.out, HasSubstr("got word"));
}

TEST(CommandTest, ATerminalThatNobodyReadsDoesNotHoldItUp) {
  CommandOptions options = with_path();
  options.terminal = true;
  const Output output = shell("head -c 300000 /dev/zero | tr '\\0' x", options).wait();
  EXPECT_EQ(output.out.size(), 300'000U);
}

}  // namespace
}  // namespace e2e
