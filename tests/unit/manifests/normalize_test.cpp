#include "manifests/normalize.hpp"

#include "tests/unit/manifests/stack_of.hpp"
#include "tests/unit/manifests/temp_project.hpp"

namespace manifests {
namespace {

TEST(NormalizeB12, DefaultNetworkOnlyWhenUsed) {
  const Stack stack = stack_of("services: {a: {image: i}}");
  EXPECT_TRUE(stack.services.at("a").networks.contains("default"));
  EXPECT_EQ(stack.networks.at("default").name, "p_default");
  EXPECT_TRUE(stack_of("services: {a: {image: i, network_mode: host}}").networks.empty());
  EXPECT_EQ(stack_of("services: {a: {image: i, networks: []}}").networks.count("default"), 1U);
}

TEST(NormalizeB12, NamesComeFromKeys) {
  const Stack stack = stack_of(
      "services: {}\nvolumes: {v: , w: {name: own}, x: {external: true}}\n"
      "configs: {c: {file: f}}");
  EXPECT_EQ(stack.volumes.at("v").name, "p_v");
  EXPECT_EQ(stack.volumes.at("w").name, "own");
  EXPECT_EQ(stack.volumes.at("x").name, "x");
  EXPECT_EQ(stack.configs.at("c").name, "p_c");
}

TEST(NormalizeA4b, ImpliedDependencies) {
  const Stack stack = stack_of(
      "services:\n  a: {image: i, links: ['b:db'], network_mode: 'service:c', volumes_from: "
      "['d:ro', 'container:x']}\n  b: {image: i}\n  c: {image: i}\n  d: {image: i}\n");
  const auto& on = stack.services.at("a").depends_on;
  EXPECT_EQ(on.size(), 3U);
  EXPECT_TRUE(on.at("b").restart);
  EXPECT_TRUE(on.at("c").restart);
  EXPECT_FALSE(on.at("d").restart);
}

TEST(NormalizeA4b, TheWrittenDependencyWins) {
  const Stack stack = stack_of(
      "services:\n  a: {image: i, links: [b], depends_on: {b: {condition: service_healthy}}}\n"
      "  b: {image: i}\n");
  EXPECT_EQ(stack.services.at("a").depends_on.at("b").condition, Condition::service_healthy);
}

TEST(NormalizeA3, BuildDefaultsAndArguments) {
  const Stack stack = stack_of("services: {a: {build: {args: [SET, GONE, A=1]}}}");
  const Build& build = *stack.services.at("a").build;
  EXPECT_EQ(build.dockerfile, "Dockerfile");
  EXPECT_EQ(build.args, (Environment{{"A", "1"}, {"SET", "value"}}));
}

TEST(NormalizeA2, EnvFileStandsUnderEnvironment) {
  const TempProject files;
  files.write("one.env", "A=1\nB=one\nC=${SET}\n");
  files.write("two.env", "B=two\nD=${A}\n");
  Stack stack = stack_of("services: {a: {image: i, environment: {A: own, E: }, env_file: [" +
                         files.at("one.env") + ", " + files.at("two.env") +
                         ", {path: " + files.at("none.env") + ", required: false}]}}");
  Diagnostics diagnostics;
  resolve_environment(stack, {{"SET", "value"}}, true, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  const Service& service = stack.services.at("a");
  EXPECT_EQ(
      service.environment,
      (Environment{{"A", "own"}, {"B", "two"}, {"C", "value"}, {"D", "own"}, {"E", std::nullopt}}));
  EXPECT_TRUE(service.env_file.empty());
}

TEST(NormalizeA2, MissingEnvFile) {
  Stack stack = stack_of("services: {a: {image: i, env_file: /nowhere.env}}");
  Diagnostics diagnostics;
  resolve_environment(stack, {}, true, diagnostics);
  ASSERT_TRUE(diagnostics.has_errors());
  EXPECT_EQ(diagnostics.all()[0].message, "env file /nowhere.env not found");
  EXPECT_EQ(diagnostics.all()[0].at.line, 1);
}

TEST(NormalizeA2, LabelFileStandsUnderLabels) {
  const TempProject files;
  files.write("l.env", "a=file\nb=file\n");
  Stack stack = stack_of(
      "services: {a: {image: i, labels: {a: own}, label_file: " + files.at("l.env") + "}}");
  Diagnostics diagnostics;
  resolve_labels(stack, true, diagnostics);
  EXPECT_EQ(stack.services.at("a").labels, (Labels{{"a", "own"}, {"b", "file"}}));
}

}  // namespace
}  // namespace manifests
