#include "runtime/build/expand.hpp"

#include <gtest/gtest.h>

#include <map>

#include "runtime/build/glob.hpp"

namespace build {
namespace {

std::optional<std::string> lookup(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> values{
      {"HOME", "/home/me"}, {"EMPTY", ""},           {"PATHS", "/a/b/c"}, {"FILE", "x.tar.gz"},
      {"WORDS", "a b  c"},  {"DOUBLE", "foofoobar"}, {"STAR", "a*b"},     {"UTF", "äbä"}};
  const auto found = values.find(name);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

struct Case {
  const char* text;
  const char* result;
};
void PrintTo(const Case& each, std::ostream* stream) { *stream << each.text; }

class ExpandTest : public ::testing::TestWithParam<Case> {};

TEST_P(ExpandTest, GivesTheWord) {
  std::string result;
  try {
    result = expand_word(GetParam().text, lookup);
  } catch (const ExpandError& error) {
    result = std::string("error: ") + error.what();
  }
  EXPECT_EQ(result, GetParam().result);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, ExpandTest,
    ::testing::Values(
        Case{"hello", "hello"}, Case{"he'll'o", "hello"},
        Case{"he'llo", "error: the closing ' is missing"}, Case{"he\\'llo", "he'llo"},
        Case{"\"hello", "error: the closing \" is missing"}, Case{"\"he'llo\"", "he'llo"},
        Case{"'he\"llo'", "he\"llo"}, Case{"abc\\tdef", "abctdef"},
        Case{"'abc\\tdef'", "abc\\tdef"}, Case{"\"a\\nb\"", "a\\nb"}, Case{"a\\\\b", "a\\b"},
        Case{"'a\\b'", "a\\b"}, Case{"trailing\\", "trailing"}, Case{"a$", "a$"},
        Case{"$HOME", "/home/me"}, Case{"he$HOME", "he/home/me"}, Case{"\\$HOME", "$HOME"},
        Case{"'$HOME'", "$HOME"}, Case{"\"$HOME\"", "/home/me"}, Case{"\"\\$HOME\"", "$HOME"},
        Case{"$none", ""}, Case{"${none}", ""}, Case{"he$1x", "hex"}, Case{"$12x", "x"},
        Case{"$@x", "x"}, Case{"${HOME}x", "/home/mex"}, Case{"${HOME:-no}", "/home/me"},
        Case{"${none:-a b}", "a b"}, Case{"${none-x}", "x"}, Case{"${EMPTY-x}", ""},
        Case{"${EMPTY:-x}", "x"}, Case{"${EMPTY+x}", "x"}, Case{"${EMPTY:+x}", ""},
        Case{"${HOME:+x}", "x"}, Case{"${none+x}", ""}, Case{"${none:-${HOME}}", "/home/me"},
        Case{"${none:-\"}\"}", "}"}, Case{"${none:-'a}b'}", "a}b"},
        Case{"${none:?}", "error: none: is not allowed to be empty"},
        Case{"${none?}", "error: none: is not allowed to be unset"},
        Case{"${none?say so}", "error: none: say so"}, Case{"${HOME?x}", "/home/me"},
        Case{"${EMPTY?x}", ""}, Case{"${EMPTY:?x}", "error: EMPTY: x"},
        Case{"${PATHS#*/}", "a/b/c"}, Case{"${PATHS##*/}", "c"}, Case{"${FILE%.*}", "x.tar"},
        Case{"${FILE%%.*}", "x"}, Case{"${FILE#z}", "x.tar.gz"}, Case{"${FILE%%}", "x.tar.gz"},
        Case{"${STAR#a\\*}", "b"}, Case{"${UTF#?}", "bä"}, Case{"${UTF%?}", "äb"},
        Case{"${DOUBLE/foo/x}", "xfoobar"}, Case{"${DOUBLE//foo/x}", "xxbar"},
        Case{"${DOUBLE/f*o/x}", "xbar"}, Case{"${PATHS//\\//:}", ":a:b:c"},
        Case{"${DOUBLE/z/x}", "foofoobar"}, Case{"${DOUBLE//foo/}", "bar"}, Case{"${none/a/b}", ""},
        Case{"${none///x}", "x"}, Case{"${none//\"\"/x}", "x"},
        Case{"${}", "error: bad substitution"}, Case{"${:-x}", "error: bad substitution"},
        Case{"${{", "error: bad substitution"}, Case{"${HOME", "error: bad substitution"},
        Case{"${HOME:", "error: bad substitution"},
        Case{"${HOME:x}", "error: unsupported modifier (:x) in substitution"},
        Case{"${HOME:#x}", "error: unsupported modifier (:#) in substitution"},
        Case{"${HOME^}", "error: unsupported modifier (^) in substitution"},
        Case{"${none:-x", "error: the closing '}' is missing"}));

TEST(ExpandWordsTest, SplitsWhatIsNotQuoted) {
  EXPECT_EQ(expand_words("x $WORDS \"$WORDS\" ''", lookup),
            (std::vector<std::string>{"x", "a", "b", "c", "a b  c", ""}));
  EXPECT_EQ(expand_words("  80   81/udp ", lookup), (std::vector<std::string>{"80", "81/udp"}));
}

TEST(ExpandTest, AnotherEscapeCharacter) {
  EXPECT_EQ(expand_word("C:\\x`$y", lookup, {.escape = '`'}), "C:\\x$y");
}

TEST(ExpandTest, QuotesStayInHeredocs) {
  EXPECT_EQ(expand_word("\"$HOME\" it's \\$x", lookup, {.keep_quotes = true}),
            "\"/home/me\" it's $x");
}

TEST(ExpandTest, NestingHasALimit) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "${x:-";
  EXPECT_THROW(expand_word(text, lookup), ExpandError);
}

TEST(ExpandTest, GrowthHasALimit) {
  const std::string big(100'000, 'x');
  const Lookup grows = [&](std::string_view) { return std::optional(big); };
  EXPECT_THROW(expand_word("${a//?/$a}", grows), ExpandError);
}

TEST(SplitTest, KeepsQuotedBlanksTogether) {
  const auto words = split_quoted("a='x y' b=\"1 2\" c=\\ d");
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[0].text, "a='x y'");
  EXPECT_EQ(words[1].text, "b=\"1 2\"");
  EXPECT_EQ(words[2].text, "c=\\ d");
  EXPECT_EQ(words[1].offset, 8U);
}

struct PathCase {
  const char* pattern;
  const char* path;
  bool fits;
};
void PrintTo(const PathCase& each, std::ostream* stream) {
  *stream << each.pattern << " ~ " << each.path;
}
class MatchPathTest : public ::testing::TestWithParam<PathCase> {};
TEST_P(MatchPathTest, Fits) {
  EXPECT_EQ(match_path(GetParam().pattern, GetParam().path, true), GetParam().fits);
}
INSTANTIATE_TEST_SUITE_P(
    Patterns, MatchPathTest,
    ::testing::Values(PathCase{"abc", "abc", true}, PathCase{"*", "abc", true},
                      PathCase{"*c", "abc", true}, PathCase{"a*", "ab/c", false},
                      PathCase{"a*/b", "abc/b", true}, PathCase{"a*/b", "a/c/b", false},
                      PathCase{"a?c", "abc", true}, PathCase{"a?c", "a/c", false},
                      PathCase{"a?b", "a☺b", true}, PathCase{"[a-c]x", "bx", true},
                      PathCase{"[^a-c]x", "bx", false}, PathCase{"[^a-c]x", "dx", true},
                      PathCase{"[\\-x]", "-", true}, PathCase{"a\\*b", "a*b", true},
                      PathCase{"a\\*b", "axb", false}, PathCase{"[a", "a", false},
                      PathCase{"**", "a/b/c", true}, PathCase{"**/x", "x", true},
                      PathCase{"**/x", "a/b/x", true}, PathCase{"**/x", "a/bx", false},
                      PathCase{"a/**", "a/b/c", true}, PathCase{"a/**", "a", false},
                      PathCase{"a/**/b", "a/b", true}, PathCase{"a/**/b", "a/x/y/b", true},
                      PathCase{"a/**/b", "a/xb", false}, PathCase{"**x", "a/bx", true},
                      PathCase{"**/*.go", "a/b.go", true}, PathCase{"**/*.go", "b.go", true}));

}  // namespace
}  // namespace build
