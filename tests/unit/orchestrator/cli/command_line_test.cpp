#include "orchestrator/cli/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cli {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::string>;

struct Flags {
  bool detach = false;
  bool interactive = true;
  std::vector<std::string> environment;
  std::string format;
  int timeout = -1;
  Words words;
};

void declare(CommandLine& line, Flags& flags) {
  line.flag("-d,--detach", flags.detach, "Go on");
  line.flag("-i,--interactive", flags.interactive, "");
  line.list("-e,--env", flags.environment, "NAME=VALUE", "Set");
  line.option("--format", flags.format, "FORMAT", "How");
  line.option("-t,--timeout", flags.timeout, "SECONDS", "How long");
}

Flags parse(const Words& words, bool command = false) {
  Flags flags;
  CommandLine line("stack test", "Test", words);
  declare(line, flags);
  if (command)
    line.command("SERVICE PROGRAM", flags.words, 2);
  else
    line.arguments("[SERVICE...]", flags.words, 0, 3);
  EXPECT_TRUE(line.parse());
  return flags;
}

TEST(CommandLine, TakesFlagsInEveryForm) {
  const Flags flags = parse({"-d", "--format=json", "web", "-t", "3", "-e", "A=1", "-e", "B=2"});
  EXPECT_TRUE(flags.detach);
  EXPECT_EQ(flags.format, "json");
  EXPECT_EQ(flags.timeout, 3);
  EXPECT_EQ(flags.environment, (Words{"A=1", "B=2"}));
  EXPECT_EQ(flags.words, Words{"web"});
  EXPECT_FALSE(parse({"--interactive=false"}).interactive);
  EXPECT_TRUE(parse({"-id"}).detach);
}

TEST(CommandLine, AListTakesOneValueATime) {
  const Flags flags = parse({"-e", "A=[1]", "web"});
  EXPECT_EQ(flags.environment, Words{"A=[1]"});
  EXPECT_EQ(flags.words, Words{"web"});
  EXPECT_EQ(parse({"-e", "[a,b]"}).environment, Words{"[a,b]"});
}

TEST(CommandLine, DashesEndFlags) { EXPECT_EQ(parse({"--", "-d", "x"}).words, (Words{"-d", "x"})); }

TEST(CommandLine, ACommandKeepsItsOwnFlags) {
  const Flags flags = parse({"-d", "web", "ls", "-e", "--format", "--"}, true);
  EXPECT_TRUE(flags.detach);
  EXPECT_TRUE(flags.environment.empty());
  EXPECT_EQ(flags.words, (Words{"web", "ls", "-e", "--format", "--"}));
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(parse({"--formt", "x"}), UsageError);
  EXPECT_THROW(parse({"--timeout", "soon"}), UsageError);
  EXPECT_THROW(parse({"--format"}), UsageError);
  EXPECT_THROW(parse({"a", "b", "c", "d"}), UsageError);
  EXPECT_THROW(parse({"web"}, true), UsageError);
  EXPECT_THROW(parse({"--nope", "web", "ls"}, true), UsageError);
}

TEST(CommandLine, HelpShowsFlagsAndExamples) {
  Flags flags;
  CommandLine line("stack test", "Tests things", {});
  declare(line, flags);
  line.example("stack test -d", "at once");
  EXPECT_THAT(line.help_text(), HasSubstr("Usage: stack test [OPTIONS]"));
  EXPECT_THAT(line.help_text(), HasSubstr("-e, --env NAME=VALUE"));
  EXPECT_THAT(line.help_text(), HasSubstr("stack test -d   at once"));
  EXPECT_THAT(line.help_text(), testing::Not(HasSubstr("--interactive")));
}

}  // namespace
}  // namespace cli
