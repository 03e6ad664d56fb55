#include "manifests/schema.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/manifests/yaml.hpp"

namespace manifests {
namespace {

std::vector<Diagnostic> check(const std::string& text) {
  Diagnostics diagnostics;
  validate_schema(yaml(text), diagnostics);
  return diagnostics.all();
}

std::string messages(const std::string& text) {
  std::string result;
  for (const Diagnostic& diagnostic : check(text)) result += diagnostic.message + "\n";
  return result;
}

TEST(SchemaA0, UnknownKeyNamesTheNearest) {
  const auto found = check("services: {a: {imgae: x}}");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].message, "services.a additional properties 'imgae' not allowed");
  EXPECT_EQ(found[0].hint, "did you mean 'image'?");
  EXPECT_EQ(found[0].at.line, 1);
  EXPECT_EQ(messages("foo: 1"), "additional properties 'foo' not allowed\n");
}

TEST(SchemaA0, EveryMistakeIsReportedAtOnce) {
  EXPECT_EQ(check("services:\n  a: {imgae: x, tty: maybe}\n  b: {ports: 1}\n").size(), 3U);
}

TEST(SchemaA0, ExtensionsAreLetThrough) {
  EXPECT_EQ(messages("x-a: [1]\nservices: {a: {image: i, x-b: 1, build: {x-c: 1}}}"), "");
}

TEST(SchemaA0, NamesHaveAFixedAlphabet) {
  EXPECT_EQ(messages("services: {'a b': {image: i}}"),
            "services additional properties 'a b' not allowed\n");
  EXPECT_EQ(messages("services: {x-a: {image: i}}"), "");
}

TEST(SchemaA0, Types) {
  EXPECT_EQ(messages("services: {a: {image: 1}}"), "services.a.image must be a string\n");
  EXPECT_EQ(messages("services: {a: {privileged: maybe}}"),
            "services.a.privileged: invalid boolean: maybe\n");
  EXPECT_EQ(messages("services: {a: {privileged: 'yes', scale: '3', mem_limit: 1g}}"), "");
  EXPECT_EQ(messages("services: {a: {stop_grace_period: 10}}"),
            "services.a.stop_grace_period must be a string\n");
  EXPECT_EQ(messages("services: {a: {oom_score_adj: 2000}}"),
            "services.a.oom_score_adj must be less than or equal to 1000\n");
}

TEST(SchemaA0, DatesMustBeQuoted) {
  EXPECT_NE(messages("services: {a: {image: i, environment: {D: 2024-01-02}}}").find("time.Time"),
            std::string::npos);
}

TEST(SchemaA0, ListItemsAreUnique) {
  EXPECT_EQ(messages("services: {a: {security_opt: [x, y, x]}}"),
            "services.a.security_opt items at 0 and 2 are equal\n");
}

TEST(SchemaA1, Shapes) {
  EXPECT_EQ(messages("services: "), "services must be a mapping\n");
  EXPECT_EQ(messages("services: {a: }"), "services.a must be a mapping\n");
  EXPECT_EQ(messages("networks: {n: }\nvolumes: {v: }"), "");
  EXPECT_EQ(messages("name: 1"), "name must be a string\n");
  Diagnostics diagnostics;
  validate_schema(Node::make_sequence(), diagnostics);
  EXPECT_TRUE(diagnostics.has_errors());
}

TEST(SchemaA2, ContainerNameAndPullPolicyPatterns) {
  EXPECT_NE(messages("services: {a: {container_name: x}}"), "");
  EXPECT_EQ(messages("services: {a: {container_name: xy}}"), "");
  EXPECT_EQ(messages("services: {a: {pull_policy: every_1d12h}}"), "");
  EXPECT_NE(messages("services: {a: {pull_policy: every_}}"), "");
  EXPECT_NE(messages("services: {a: {pull_policy: sometimes}}"), "");
}

TEST(SchemaA4b, MapFormNeedsACondition) {
  EXPECT_EQ(messages("services: {a: {depends_on: {b: {restart: true}}}}"),
            "services.a.depends_on.b missing property 'condition'\n");
  EXPECT_NE(messages("services: {a: {depends_on: {b: {condition: healthy}}}}"), "");
}

TEST(SchemaA8, LongFormNeedsAKnownType) {
  EXPECT_EQ(messages("services: {a: {volumes: [{target: /x}]}}"),
            "services.a.volumes.0 missing property 'type'\n");
}

/// Walks the table once: every rule is reachable and well formed.
void visit(const Rule& rule, std::set<const Rule*>& seen) {
  if (!seen.insert(&rule).second) return;
  EXPECT_NE(rule.forms, 0U);
  EXPECT_TRUE(rule.keys.empty() || (rule.forms & form::map) != 0);
  EXPECT_TRUE(rule.item == nullptr || (rule.forms & form::list) != 0);
  std::set<std::string_view> names;
  for (const Rule::Key& key : rule.keys) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    visit(*key.rule, seen);
  }
  for (const auto required : rule.required) EXPECT_TRUE(names.contains(required)) << required;
  if (rule.item != nullptr) visit(*rule.item, seen);
  if (rule.value != nullptr) visit(*rule.value, seen);
}

TEST(Schema, TheTableIsWellFormed) {
  std::set<const Rule*> seen;
  visit(compose_schema(), seen);
  EXPECT_GT(seen.size(), 80U);
}

}  // namespace
}  // namespace manifests
