#include "orchestrator/cli/terminal.hpp"

#include <gtest/gtest.h>

#include "orchestrator/cli/command_line.hpp"

namespace cli {
namespace {

TEST(DetachKeysTest, AreTakenOutOfWhatIsTyped) {
  DetachKeys keys("ctrl-p,ctrl-q");
  EXPECT_EQ(keys.pass("ls\r"), "ls\r");
  EXPECT_EQ(keys.pass("a\x10"), "a") << "it waits for what follows";
  EXPECT_EQ(keys.pass("b"),
            "\x10"
            "b");
  EXPECT_EQ(keys.pass("\x10\x10"), "\x10");
  EXPECT_FALSE(keys.complete());
  EXPECT_EQ(keys.pass("\x11more"), "");
  EXPECT_TRUE(keys.complete());
}

TEST(DetachKeysTest, WithoutKeysEverythingPasses) {
  DetachKeys none;
  EXPECT_EQ(none.pass("\x10\x11"), "\x10\x11");
  EXPECT_FALSE(none.complete());
  EXPECT_FALSE(DetachKeys("").complete());
}

TEST(DetachKeysTest, LettersAndControlCharacters) {
  DetachKeys keys("x,ctrl-]");
  EXPECT_EQ(keys.pass("x\x1d"), "");
  EXPECT_TRUE(keys.complete());
  for (const char* bad : {"ctrl-", "ctrl-P1", "ctrl-1", "ab", "ctrl-p,,q"})
    EXPECT_THROW(DetachKeys{bad}, UsageError) << bad;
}

}  // namespace
}  // namespace cli
