#include "manifests/dotenv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace manifests {
namespace {

using testing::HasSubstr;

std::shared_ptr<const Source> source_of(std::string text) {
  auto source = std::make_shared<Source>();
  source->name = ".env";
  source->text = std::move(text);
  return source;
}

std::optional<std::string> lookup(const std::string& name) {
  return name == "OUT" ? std::optional<std::string>("outer") : std::nullopt;
}

Variables read(const std::string& text, EnvFormat format = EnvFormat::dotenv) {
  Variables variables;
  Diagnostics diagnostics;
  parse_env_file(source_of(text), format, lookup, variables, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << render(diagnostics.all().front());
  return variables;
}

std::string mistake(const std::string& text, EnvFormat format = EnvFormat::dotenv) {
  Variables variables;
  Diagnostics diagnostics;
  parse_env_file(source_of(text), format, lookup, variables, diagnostics);
  return diagnostics.has_errors() ? render(diagnostics.all().back()) : "no mistake";
}

std::string value(const std::string& line) {
  const Variables variables = read(line);
  const auto found = variables.find("K");
  return found == variables.end() ? "(absent)" : found->second;
}

TEST(Dotenv, ReadsAssignments) {
  for (const char* line : {"K=v", "K = v", "export K=v", "K: v", "\tK=v  ", "K=v\r\n"})
    EXPECT_EQ(value(line), "v") << line;
  EXPECT_EQ(value("K="), "");
  EXPECT_EQ(value("K"), "(absent)");
  EXPECT_EQ(read("OUT\n").at("OUT"), "outer");
  EXPECT_EQ(read("OUT").at("OUT"), "outer");
}

TEST(Dotenv, SkipsCommentsBlanksAndByteOrderMark) {
  EXPECT_EQ(read("\xEF\xBB\xBF# c\n\n  \r\nA=1\r\n#B=2\n"), (Variables{{"A", "1"}}));
  EXPECT_EQ(value("K=v # c"), "v");
  EXPECT_EQ(value("K=v#c"), "v#c");
  EXPECT_EQ(value("K= # c"), "# c");
  EXPECT_EQ(value("K=\"v\" # c"), "v");
}

TEST(Dotenv, UnquotedValues) {
  EXPECT_EQ(value("K=a\\nb"), "a\\nb");
  EXPECT_EQ(value("K=it's"), "it's");
  EXPECT_EQ(value("K=$OUT-x"), "outer-x");
  EXPECT_EQ(value("A=1\nK=${A}"), "1");
  EXPECT_EQ(value("K=$$A"), "$A");
}

TEST(Dotenv, DoubleQuotedValues) {
  EXPECT_EQ(value("K=\"a\nb\""), "a\nb");
  EXPECT_EQ(value(R"(K="a\nb\tc\"d\\")"), "a\nb\tc\"d\\");
  EXPECT_EQ(value(R"(K="\x41")"), R"(\x41)");
  EXPECT_EQ(value(R"(K="\0101")"), "A");
  EXPECT_EQ(value(R"(K="\$OUT $OUT")"), "$OUT outer");
}

TEST(Dotenv, SingleQuotedValues) {
  EXPECT_EQ(value("K='a\nb'"), "a\nb");
  EXPECT_EQ(value("K='$OUT \\n \\\\'"), "$OUT \\n \\\\");
  EXPECT_EQ(value(R"(K='it\'s')"), "it's");
}

TEST(Dotenv, TextAfterAQuoteIsAFurtherLine) {
  EXPECT_EQ(read("K=\"x\" OUT\n"), (Variables{{"K", "x"}, {"OUT", "outer"}}));
}

TEST(Dotenv, KeepsEarlierVariablesAndSeesThem) {
  Variables variables{{"A", "1"}};
  Diagnostics diagnostics;
  parse_env_file(source_of("B=$A\nA=2\n"), EnvFormat::dotenv, lookup, variables, diagnostics);
  EXPECT_EQ(variables, (Variables{{"A", "2"}, {"B", "1"}}));
}

TEST(Dotenv, PointsAtMistakes) {
  EXPECT_THAT(mistake("A=1\nK!=v\n"),
              testing::AllOf(HasSubstr(".env:2:2"),
                             HasSubstr("unexpected character \"!\" in variable name \"K!=v\"")));
  EXPECT_THAT(mistake("A B=1\n"), HasSubstr("line 1: key cannot contain a space"));
  EXPECT_THAT(mistake("\nK=\"v\nx"), HasSubstr("line 2: unterminated quoted value \"v"));
  EXPECT_THAT(mistake("K=${A!}\n"), HasSubstr("${A!}"));
  EXPECT_THAT(mistake("K=${U:?why}\n"), HasSubstr("required variable U is missing a value: why"));
}

TEST(Dotenv, RawTakesValuesAsTheyStand) {
  EXPECT_EQ(read("# c\n\nA=\"x\" # c \r\nB=$OUT\nOUT\nNONE\n", EnvFormat::raw),
            (Variables{{"A", "\"x\" # c "}, {"B", "$OUT"}, {"OUT", "outer"}}));
  EXPECT_THAT(mistake("A B=1\n", EnvFormat::raw), HasSubstr("contains whitespaces"));
  EXPECT_THAT(mistake("=1\n", EnvFormat::raw), HasSubstr("no variable name"));
}

}  // namespace
}  // namespace manifests
