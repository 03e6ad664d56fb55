#include "manifests/interpolate.hpp"

#include <gtest/gtest.h>

namespace manifests {
namespace {

std::optional<std::string> lookup(const std::string& name) {
  if (name == "A") return "1";
  if (name == "B") return "two";
  if (name == "E") return "";
  return std::nullopt;
}

Expansion run(const std::string& text) { return expand(text, lookup); }

TEST(Interpolate, FollowsTheTable) {
  const std::pair<const char*, const char*> kRows[] = {{"$A", "1"},
                                                       {"${A}", "1"},
                                                       {"$A$A", "11"},
                                                       {"x${A}y", "x1y"},
                                                       {"${U-d}", "d"},
                                                       {"${E-d}", ""},
                                                       {"${U:-d}", "d"},
                                                       {"${E:-d}", "d"},
                                                       {"${A:-d}", "1"},
                                                       {"${A+p}", "p"},
                                                       {"${E+p}", "p"},
                                                       {"${U+p}", ""},
                                                       {"${A:+p}", "p"},
                                                       {"${E:+p}", ""},
                                                       {"${E?m}", ""},
                                                       {"${A?m}", "1"},
                                                       {"${U:-$B}", "two"},
                                                       {"${U:-${B}}", "two"},
                                                       {"${U:-${V:-x}}", "x"},
                                                       {"${U:-a b}", "a b"},
                                                       {"${U:-a:b-c?d}", "a:b-c?d"},
                                                       {"${U:-\"q\"}", "\"q\""},
                                                       {"${U:-{}}", "{}"},
                                                       {"${U:-{\"a\":{}}}", "{\"a\":{}}"},
                                                       {"${U:-$$A}", "$A"},
                                                       {"$$", "$"},
                                                       {"$$A", "$A"},
                                                       {"$$$A", "$1"},
                                                       {"$1", "$1"},
                                                       {"$ ", "$ "},
                                                       {"$/", "$/"},
                                                       {"$!", "$!"},
                                                       {"$.", "$."},
                                                       {"$", "$"},
                                                       {"a$", "a$"},
                                                       {"$\xc3\x89", "$\xc3\x89"},
                                                       {"${U-}", ""},
                                                       {"${U:-x}}", "x}"},
                                                       {"$A_", ""},
                                                       {"${U:-a\nb}", "a\nb"}};
  for (const auto& [text, wanted] : kRows) {
    const Expansion expansion = run(text);
    EXPECT_EQ(expansion.failure, Expansion::Failure::none) << text << ": " << expansion.message;
    EXPECT_EQ(expansion.text, wanted) << text;
  }
}

TEST(Interpolate, RefusesWhatIsNoVariable) {
  for (const char* text : {"${}", "${A", "${1A}", "${ A}", "${A }", "${A B}", "${A!x}", "${A/x/y}",
                           "${A:x}", "${A:=x}", "${A^^}", "${#A}", "${A:}", "${A:-${}}"}) {
    EXPECT_EQ(run(text).failure, Expansion::Failure::syntax) << text;
  }
}

TEST(Interpolate, RequiresVariables) {
  EXPECT_EQ(run("${U?m}").message, "required variable U is missing a value: m");
  EXPECT_EQ(run("${U:?}").message, "required variable U is missing a value");
  EXPECT_EQ(run("${E:?m $A}").message, "required variable E is missing a value: m 1");
  EXPECT_EQ(run("${A:-${U?m}}").failure, Expansion::Failure::required);
}

TEST(Interpolate, NamesUnsetVariables) {
  EXPECT_EQ(run("$U ${V} ${W:-}").unset, (std::vector<std::string>{"U", "V"}));
  EXPECT_EQ(run("${A:-$U}").unset, std::vector<std::string>{"U"});
}

TEST(Interpolate, BoundsNestingAndSize) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "${U:-";
  deep += std::string(5000, '}');
  EXPECT_EQ(run(deep).failure, Expansion::Failure::syntax);

  const std::string large(1 << 20, 'x');
  std::string many;
  for (int i = 0; i < 100; ++i) many += "$L";
  const Expansion expansion = expand(many, [&](const std::string&) { return large; });
  EXPECT_EQ(expansion.failure, Expansion::Failure::too_large);
}

TEST(Interpolate, VisitsValuesNotKeysAndSaysWhere) {
  auto source = std::make_shared<Source>();
  source->name = "compose.yaml";
  source->text = "${K}:\n  - x${A!}\n  - $U\n  - $U\n";
  Node list = Node::make_sequence();
  list.items.push_back(Node::make_string("x${A!}", {source, 2, 5}));
  list.items.push_back(Node::make_string("$U", {source, 3, 5}));
  list.items.push_back(Node::make_string("$U", {source, 4, 5}));
  Node root = Node::make_mapping();
  root.set("${K}", std::move(list));
  Diagnostics diagnostics;
  interpolate(root, lookup, diagnostics);
  EXPECT_EQ(root.entries[0].key, "${K}");
  ASSERT_EQ(diagnostics.all().size(), 2U);
  EXPECT_EQ(diagnostics.all()[0].message, "invalid interpolation format for ${K}[0]: ${A!}");
  EXPECT_EQ(diagnostics.all()[0].at.column, 6);
  EXPECT_EQ(diagnostics.all()[0].path, "${K}[0]");
  EXPECT_EQ(diagnostics.all()[1].severity, Severity::warning);
  EXPECT_EQ(diagnostics.all()[1].at.line, 3);
}

}  // namespace
}  // namespace manifests
