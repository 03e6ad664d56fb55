#include "manifests/yaml_text.hpp"

#include <gtest/gtest.h>

#include "tests/unit/manifests/yaml.hpp"

namespace manifests {
namespace {

std::string text(const std::string& value) { return yaml_text(Json{{"k", value}}); }

TEST(YamlText, StringsArePlainWhereTheyReadBack) {
  EXPECT_EQ(text("plain text"), "k: plain text\n");
  EXPECT_EQ(text("a:b"), "k: a:b\n");
  EXPECT_EQ(text("a: b"), "k: 'a: b'\n");
  EXPECT_EQ(text("# no"), "k: '# no'\n");
  EXPECT_EQ(text("- x"), "k: '- x'\n");
  EXPECT_EQ(text("-x"), "k: -x\n");
  EXPECT_EQ(text(" lead"), "k: ' lead'\n");
}

TEST(YamlText, WhatYamlWouldMisreadIsQuoted) {
  for (const char* word :
       {"1", "1.5", "true", "null", "~", "yes", "ON", "22:22", "", "2024-01-02"}) {
    EXPECT_EQ(text(word), "k: \"" + std::string(word) + "\"\n");
  }
}

TEST(YamlText, LinesBecomeALiteral) {
  EXPECT_EQ(text("a\nb\n"), "k: |\n  a\n  b\n");
  EXPECT_EQ(text("a\nb"), "k: |-\n  a\n  b\n");
  EXPECT_EQ(text("a\n\nb\n\n"), "k: |+\n  a\n\n  b\n\n");
  EXPECT_EQ(text("  a\nb\n"), "k: |2\n    a\n  b\n");
  EXPECT_EQ(text("a\tb"), "k: \"a\\tb\"\n");
  EXPECT_EQ(text("a\u2028\x07"), "k: \"a\\L\\a\"\n");
}

TEST(YamlText, ListsStandBelowTheirKey) {
  const Json value = {{"l", {{{"a", 1}, {"b", {1, 2}}}, "x"}}, {"e", Json::array()}};
  EXPECT_EQ(yaml_text(value), "l:\n  - a: 1\n    b:\n      - 1\n      - 2\n  - x\ne: []\n");
}

TEST(YamlText, WhatIsWrittenReadsBack) {
  for (const char* word : {"a b", "x: y", "@x", "%y", "'q'", "\"q\"", "*a", "!t", "a #b", "[x]",
                           "{", "?", "-", "a\nb", "\n", "tail \nx", "tab\t", "\x01"}) {
    const Node read = yaml(text(word));
    EXPECT_EQ(read.find("k")->text, word);
  }
}

TEST(YamlText, NaturalOrder) {
  EXPECT_TRUE(natural_less("web2", "web10"));
  EXPECT_FALSE(natural_less("web10", "web2"));
  EXPECT_TRUE(natural_less("a", "b"));
  EXPECT_TRUE(natural_less("A", "a"));
  EXPECT_TRUE(natural_less("a", "ab"));
}

}  // namespace
}  // namespace manifests
