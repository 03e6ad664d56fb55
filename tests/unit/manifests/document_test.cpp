#include "manifests/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace manifests {
namespace {

using testing::HasSubstr;

std::shared_ptr<const Source> source_of(std::string text) {
  auto source = std::make_shared<Source>();
  source->name = "compose.yaml";
  source->text = std::move(text);
  return source;
}

Node parse(const std::string& text) {
  std::vector<Node> documents = parse_documents(source_of(text));
  EXPECT_EQ(documents.size(), 1U);
  return documents.empty() ? Node{} : std::move(documents.front());
}

std::string mistake(const std::string& text) {
  try {
    parse_documents(source_of(text));
  } catch (const InvalidManifest& error) {
    return error.what();
  }
  return "no mistake";
}

TEST(Document, RefusesAQuoteThatIsOpenAtTheEnd) {
  EXPECT_THAT(mistake("a: \"x\nb: 2\n"), HasSubstr("1:4: error: cannot parse YAML: the quote"));
  EXPECT_THAT(mistake("a: 1\nb: 'x\n\n"), HasSubstr("2:4: error: cannot parse YAML: the quote"));
  EXPECT_EQ(parse("# it's\na: |+\n  \"x\n\n").entries[0].value.text, "\"x\n\n");
  EXPECT_TRUE(parse_documents(source_of("# it's\n\n")).empty());
  EXPECT_EQ(parse_documents(source_of("a: 'b'\n---\nc: 'd'\n...\n")).size(), 2U);
}

TEST(Document, KeepsOrderTypesAndPlaces) {
  const Node root = parse("b: 1\na:\n  - x\n  - \"2\"\n");
  ASSERT_EQ(root.entries.size(), 2U);
  EXPECT_EQ(root.entries[0].key, "b");
  EXPECT_EQ(root.entries[0].value.type, ScalarType::integer);
  const Node& list = root.entries[1].value;
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_EQ(list.items[1].type, ScalarType::string);
  EXPECT_TRUE(list.items[1].quoted);
  EXPECT_FALSE(list.items[0].quoted);
  EXPECT_EQ(list.items[1].at.line, 4);
  EXPECT_EQ(list.items[1].at.column, 5);
  EXPECT_EQ(root.entries[1].key_at.line, 2);
}

TEST(Document, AbsentValueStandsAtItsKey) {
  const Node root = parse("a:\nb: 1\n");
  EXPECT_TRUE(root.entries[0].value.is_null());
  EXPECT_EQ(root.entries[0].value.at.line, 1);
}

TEST(Document, ReadsSeveralDocumentsAndNone) {
  EXPECT_EQ(parse_documents(source_of("a: 1\n---\nb: 2\n")).size(), 2U);
  EXPECT_TRUE(parse_documents(source_of("# nothing\n")).empty());
  EXPECT_TRUE(parse_documents(source_of("")).empty());
}

TEST(Document, UnfoldsAnchorsAndAliases) {
  const Node root = parse("a: &x {k: 1}\nb: *x\n");
  ASSERT_NE(root.find("b")->find("k"), nullptr);
}

TEST(Document, ExplicitKeysWinOverMergedOnesWhereverTheyStand) {
  const Node root = parse("x: &x {k: 1, l: 2}\na:\n  <<: *x\n  k: 9\nb:\n  k: 9\n  <<: *x\n");
  for (const char* name : {"a", "b"}) {
    EXPECT_EQ(root.find(name)->find("k")->text, "9");
    EXPECT_EQ(root.find(name)->find("l")->text, "2");
    EXPECT_EQ(root.find(name)->find("<<"), nullptr);
  }
}

TEST(Document, FirstOfSeveralMergedMapsWins) {
  const Node root = parse("x: &x {k: 1}\ny: &y {k: 2, l: 3}\na:\n  <<: [*x, *y]\n");
  EXPECT_EQ(root.find("a")->find("k")->text, "1");
  EXPECT_EQ(root.find("a")->find("l")->text, "3");
}

TEST(Document, RefusesMergesOfWhatIsNoMap) {
  EXPECT_THAT(mistake("a: {<<: 1}\n"), HasSubstr("map merge requires map or sequence of maps"));
  EXPECT_THAT(mistake("a: {<<: [1]}\n"), HasSubstr("map merge requires map or sequence of maps"));
}

TEST(Document, RefusesDoubledKeysAndNamesTheFirst) {
  EXPECT_THAT(mistake("a: 1\nb: 2\na: 3\n"),
              testing::AllOf(HasSubstr("compose.yaml:3:1"),
                             HasSubstr("mapping key \"a\" already defined at line 1"),
                             HasSubstr("compose.yaml:1:1")));
  EXPECT_THAT(mistake("x: &x {}\na: {<<: *x, <<: *x}\n"), HasSubstr("already defined"));
}

TEST(Document, RefusesKeysThatAreNoStrings) {
  EXPECT_THAT(mistake("services:\n  1: {}\n"), HasSubstr("non-string key in services: 1"));
  EXPECT_THAT(mistake("true: 1\n"), HasSubstr("non-string key at top level: true"));
  EXPECT_THAT(mistake("a: [{~: 1}]\n"), HasSubstr("non-string key in a[0]: <nil>"));
  EXPECT_EQ(parse("\"1\": a\non: b\n").entries.size(), 2U);
}

TEST(Document, KeepsResetAndOverride) {
  const Node root = parse("a: !reset null\nb: !override [x]\nc: !reset\n");
  EXPECT_EQ(root.find("a")->tag, MergeTag::reset);
  EXPECT_EQ(root.find("b")->tag, MergeTag::override_value);
  EXPECT_EQ(root.find("c")->tag, MergeTag::reset);
}

TEST(Document, TagsDecideTheType) {
  EXPECT_EQ(parse("a: !!str 1\n").find("a")->type, ScalarType::string);
  EXPECT_THAT(mistake("a: !!int x\n"), HasSubstr("cannot decode"));
  EXPECT_EQ(parse("a: !!binary aGVsbG8=\n").find("a")->text, "hello");
  EXPECT_THAT(mistake("a: !!binary aGV%\n"), HasSubstr("invalid base64"));
}

TEST(Document, RefusesWhatIsNoMapping) {
  EXPECT_THAT(mistake("- a\n"), HasSubstr("top-level object must be a mapping"));
  EXPECT_THAT(mistake("just text\n"), HasSubstr("top-level object must be a mapping"));
}

TEST(Document, SaysWhereTheSyntaxIsWrong) {
  EXPECT_THAT(mistake("a: [1, 2\nb: 3\n"), HasSubstr("compose.yaml:"));
  EXPECT_THAT(mistake("a: *nope\n"), HasSubstr("unknown anchor 'nope' referenced"));
}

TEST(Document, RefusesCirclesOfAliases) {
  EXPECT_THAT(mistake("a: &a {b: *a}\n"), HasSubstr("alias to itself"));
}

TEST(Document, RefusesAliasBombs) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) text += ", " + before;
    text += "]\n";
  }
  EXPECT_THAT(mistake(text), HasSubstr("aliases unfold to more than"));
}

TEST(Document, RefusesDeepNesting) {
  const std::string text = "a: " + std::string(10'000, '[');
  EXPECT_THAT(mistake(text), HasSubstr("error: "));
  EXPECT_THAT(mistake("a: " + std::string(300, '[') + std::string(300, ']')),
              HasSubstr("nested deeper than 256"));
}

TEST(Document, RefusesBytesThatAreNoText) {
  EXPECT_THAT(mistake(std::string("a: \0b\n", 6)), HasSubstr("control characters"));
  EXPECT_THAT(mistake("a: \xff\n"), HasSubstr("compose.yaml:1:4"));
  EXPECT_THAT(mistake("a: \xed\xa0\x80\n"), HasSubstr("invalid UTF-8"));
  EXPECT_EQ(parse("\xEF\xBB\xBF"
                  "a: \xc3\xa9\n")
                .entries.size(),
            1U);
}

}  // namespace
}  // namespace manifests
