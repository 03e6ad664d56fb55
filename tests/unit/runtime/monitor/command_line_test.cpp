#include "runtime/monitor/command_line.hpp"

#include <gmock/gmock.h>

namespace monitor {
namespace {

const OptionNames kNames{.with_value = {{"bundle", "b"}, {"env", "e"}}, .flags = {{"force", "f"}}};

CommandLine parse(const std::vector<std::string>& arguments, bool stop_at_word = false) {
  return CommandLine::parse(arguments, kNames, stop_at_word);
}

TEST(CommandLine, TakesEveryWayToWriteAnOption) {
  for (const auto& arguments : {std::vector<std::string>{"--bundle", "x"},
                                {"--bundle=x"},
                                {"-bundle", "x"},
                                {"-b", "x"},
                                {"-b=x"}})
    EXPECT_EQ(parse(arguments).value("bundle"), "x") << arguments.front();
  EXPECT_EQ(parse({"--bundle="}).value("bundle"), "");
  EXPECT_EQ(parse({"-e", "A=1", "--env=B=2"}).values("env"),
            (std::vector<std::string>{"A=1", "B=2"}));
}

TEST(CommandLine, AFlagCanBeSaidToBeFalse) {
  EXPECT_TRUE(parse({"--force"}).flag("force"));
  EXPECT_TRUE(parse({"-f"}).flag("force"));
  EXPECT_TRUE(parse({"--force=true"}).flag("force"));
  EXPECT_FALSE(parse({"--force=false"}).flag("force"));
  EXPECT_FALSE(parse({"--force", "--force=false"}).flag("force"));
  EXPECT_FALSE(parse({}).flag("force"));
  EXPECT_THROW(parse({"--force=maybe"}), UsageError);
}

TEST(CommandLine, LeavesTheRestToTheProgram) {
  const CommandLine line = parse({"-f", "id", "ls", "-b", "--force=false"}, true);
  EXPECT_TRUE(line.flag("force"));
  EXPECT_EQ(line.words(), (std::vector<std::string>{"id", "ls", "-b", "--force=false"}));
  EXPECT_EQ(parse({"--", "-f"}).words(), (std::vector<std::string>{"-f"}));
  EXPECT_EQ(parse({"id", "-f"}).words(), (std::vector<std::string>{"id"}));
}

TEST(CommandLine, SaysWhatIsWrong) {
  EXPECT_THROW(parse({"--unknown"}), UsageError);
  EXPECT_THROW(parse({"--bundle"}), UsageError);
  EXPECT_THROW(parse({}).word(0, "the id"), UsageError);
  EXPECT_THROW(parse({}).required("bundle"), UsageError);
  for (const char* text : {"", "x", "-1", "1x", " 1", "18446744073709551616"})
    EXPECT_THROW(parse_number(text, "n"), UsageError) << text;
}

}  // namespace
}  // namespace monitor
