#include <gtest/gtest.h>

#include "manifests/values.hpp"

namespace manifests {
namespace {

Strings words(std::string_view line) {
  const auto parsed = split_command(line);
  const auto* list = std::get_if<Strings>(&parsed);
  return list ? *list : Strings{"(refused)"};
}

TEST(CommandLineA2, QuotesAndBackslashes) {
  EXPECT_EQ(words("a 'b c' \"d e\""), (Strings{"a", "b c", "d e"}));
  EXPECT_EQ(words(R"(a\ b 'c\d' "e\"f")"), (Strings{"a b", R"(c\d)", "e\"f"}));
  EXPECT_EQ(words("a '' b"), (Strings{"a", "", "b"}));
  EXPECT_EQ(words("--x='y z'"), (Strings{"--x=y z"}));
  EXPECT_EQ(words(""), Strings{});
  EXPECT_EQ(words(" \t\n"), Strings{});
}

TEST(CommandLineA2, SubstitutionsStayOneWord) {
  EXPECT_EQ(words("a `b c` d"), (Strings{"a", "`b c`", "d"}));
  EXPECT_EQ(words("a $(b c) d"), (Strings{"a", "$(b c)", "d"}));
}

TEST(CommandLineA2, OperatorsEndTheCommand) {
  EXPECT_EQ(words("a b; c"), (Strings{"a", "b"}));
  EXPECT_EQ(words("a | b"), (Strings{"a"}));
  EXPECT_EQ(words("a 'b;c' d&e"), (Strings{"a", "b;c", "d"}));
}

TEST(CommandLineA2, UnfinishedQuotesAndParenthesesAreRefused) {
  EXPECT_EQ(words("a 'b"), Strings{"(refused)"});
  EXPECT_EQ(words("a (b)"), Strings{"(refused)"});
  EXPECT_EQ(words("a \\"), Strings{"(refused)"});
}

}  // namespace
}  // namespace manifests
