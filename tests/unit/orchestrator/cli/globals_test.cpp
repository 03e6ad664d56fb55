#include "orchestrator/cli/globals.hpp"

#include <gtest/gtest.h>

#include "orchestrator/cli/command_line.hpp"

namespace cli {
namespace {

using Words = std::vector<std::string>;

TEST(Globals, StandBeforeTheCommand) {
  const Globals globals =
      parse_globals({"-f", "a.yaml", "--file=b.yaml", "-p", "shop", "up", "-d", "-f", "x"});
  EXPECT_EQ(globals.files, (Words{"a.yaml", "b.yaml"}));
  EXPECT_EQ(globals.project_name, "shop");
  EXPECT_EQ(globals.command, (Words{"up", "-d", "-f", "x"}));
}

TEST(Globals, UnknownFlagsNameTheNearest) {
  try {
    parse_globals({"--profil", "x", "up"});
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "unknown flag: --profil; did you mean --profile?");
  }
}

TEST(Style, FollowsTerminalsUnlessTold) {
  EXPECT_EQ(choose_style({.err_is_terminal = true}).progress, ProgressStyle::tty);
  EXPECT_EQ(choose_style({}).progress, ProgressStyle::plain);
  EXPECT_TRUE(choose_style({.out_is_terminal = true}).colour_out);
  EXPECT_FALSE(choose_style({.out_is_terminal = true}).colour_err);
  EXPECT_FALSE(choose_style({.ansi = "never", .out_is_terminal = true}).colour_out);
  EXPECT_TRUE(choose_style({.ansi = "always"}).colour_out);
}

TEST(Style, TheEnvironmentStandsInForFlags) {
  EXPECT_EQ(choose_style({.environment = {{"COMPOSE_PROGRESS", "json"}}}).progress,
            ProgressStyle::json);
  EXPECT_FALSE(
      choose_style({.environment = {{"NO_COLOR", "1"}}, .out_is_terminal = true}).colour_out);
  EXPECT_TRUE(choose_style({.ansi = "always", .environment = {{"NO_COLOR", "1"}}}).colour_out);
}

TEST(Style, RefusesWhatCannotBe) {
  EXPECT_THROW(choose_style({.progress = "foo"}), UsageError);
  EXPECT_THROW(choose_style({.ansi = "sometimes"}), UsageError);
  EXPECT_THROW(choose_style({.progress = "tty", .ansi = "never"}), UsageError);
  EXPECT_THROW(choose_style({.progress = "plain", .ansi = "always"}), UsageError);
}

}  // namespace
}  // namespace cli
