#include "runtime/build/dockerignore.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace build {
namespace {

struct Case {
  const char* list;
  const char* path;
  bool out;
};
void PrintTo(const Case& each, std::ostream* stream) { *stream << each.list << " ~ " << each.path; }
class IgnoreTest : public ::testing::TestWithParam<Case> {};
TEST_P(IgnoreTest, Decides) {
  EXPECT_EQ(Ignore::parse(GetParam().list).ignores(GetParam().path), GetParam().out);
}
INSTANTIATE_TEST_SUITE_P(
    Lists, IgnoreTest,
    ::testing::Values(
        Case{"", "a", false}, Case{"a", "a", true}, Case{"a", "a/b/c", true},
        Case{"a", "b/a", false}, Case{"/a", "a", true}, Case{"a/", "a/b", true},
        Case{"./a", "a", true}, Case{"x/../a", "a", true}, Case{"#a", "#a", false},
        Case{" #a", "#a", true}, Case{"  a  ", "a", true}, Case{"*.log", "y.log", true},
        Case{"*.log", "a/y.log", false}, Case{"**/*.log", "a/b/y.log", true}, Case{".", "a", false},
        Case{"*\n!a/b", "a/b/c", false}, Case{"*\n!a/b", "a/c", true},
        Case{"*\n!**/*.md", "x/r.md", false}, Case{"*\n!**/*.md", "x/r.txt", true},
        Case{"a\n!a/b/3.md", "a/b/3.md", false}, Case{"a\n!a/b/3.md", "a/b/4.md", true},
        Case{"!R.md\n*.md", "R.md", true}, Case{"*\n!R.md\nR.md", "R.md", true},
        Case{"*/*", "a", false}, Case{"*/*", "a/b", true}, Case{"a/b/**", "a/b", false},
        Case{"a/b/**", "a/b/c/d", true}, Case{"! a\na\n!\ta", "a", false}, Case{"A", "a", false},
        Case{"a[bc]", "ac", true}, Case{"a\\*", "a*", true}, Case{"a\\*", "ab", false},
        Case{"\xEF\xBB\xBFhidden", "hidden", true}, Case{"a\r\nb", "a", true}));

TEST(IgnoreTest, SaysWhichLineIsWrong) {
  try {
    Ignore::parse("a\n!\n");
    FAIL();
  } catch (const os::Error& error) {
    EXPECT_STREQ(error.what(), "line 2: illegal exclusion pattern: \"!\"");
  }
  EXPECT_THROW(Ignore::parse("[a"), os::Error);
}

TEST(IgnoreTest, KnowsWhereExceptionsMayBe) {
  const Ignore ignore = Ignore::parse("*\n!a/b\n");
  EXPECT_TRUE(ignore.may_return_below("a"));
  EXPECT_FALSE(ignore.may_return_below("c"));
  EXPECT_FALSE(Ignore::parse("*").may_return_below("a"));
  EXPECT_TRUE(Ignore::parse("*\n!**/x").may_return_below("c/d"));
}

TEST(CleanRelativeTest, NeverLeavesTheRoot) {
  EXPECT_EQ(clean_relative("../../etc/./x//"), "etc/x");
  EXPECT_EQ(clean_relative("/"), "");
  EXPECT_EQ(clean_relative("a/b/../../.."), "");
}

}  // namespace
}  // namespace build
