#include "manifests/merge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/manifests/yaml.hpp"

namespace manifests {
namespace {

using testing::HasSubstr;

/// Two forms of one attribute of service `a`, merged and without doubles.
std::string merged(const std::string& attribute, const std::string& base, const std::string& over) {
  const auto service = [&](const std::string& value) {
    return yaml("services: {a: {" + attribute + ": " + value + "}}\n");
  };
  Diagnostics diagnostics;
  Node model = merge(service(base), service(over), {}, diagnostics);
  if (diagnostics.has_errors()) return diagnostics.all().front().message;
  unify(model);
  const Node* found = model.find("services")->find("a")->find(attribute);
  return found ? flow(*found) : "(absent)";
}

TEST(Merge, MappingsGoKeyByKeyAndScalarsAreReplaced) {
  EXPECT_EQ(merged("x-m", "{a: 1, b: {c: 2}}", "{b: {d: 3}, a: 4}"), "{a: 4, b: {c: 2, d: 3}}");
  EXPECT_EQ(merged("image", "one", "two"), "two");
  EXPECT_EQ(merged("image", "one", "~"), "one");
}

TEST(Merge, ListsAreAppended) {
  EXPECT_EQ(merged("cache_from", "[a]", "[a, b]"), "[a, a, b]");
  EXPECT_EQ(merged("security_opt", "[a]", "[a, b]"), "[a, b]");
  EXPECT_EQ(merged("security_opt", "[a, a]", "[b]"), "[a, a, b]");
}

TEST(Merge, RefusesMapsOverListsAndSaysWhere) {
  EXPECT_EQ(merged("post_start", "[a]", "{b: 1}"), "cannot override services.a.post_start");
  EXPECT_EQ(merged("healthcheck", "{retries: 1}", "[x]"), "cannot override services.a.healthcheck");
}

TEST(Merge, CommandsAreReplacedEvenByNull) {
  EXPECT_EQ(merged("command", "[a, b]", "c"), "c");
  EXPECT_EQ(merged("command", "[a, b]", "~"), "~");
  EXPECT_EQ(merged("entrypoint", "a", "[]"), "[]");
  EXPECT_EQ(merged("healthcheck", "{test: [CMD, a], retries: 2}", "{test: b}"),
            "{test: b, retries: 2}");
}

TEST(Merge, VariablesAreKeyedInAnyForm) {
  EXPECT_EQ(merged("environment", "{A: 1, B: two}", "[A=3, C]"), "[A=3, B=two, C]");
  EXPECT_EQ(merged("environment", "[A=1, B=2]", "{B: ~, D: true, E: 1.50}"),
            "[A=1, B, D=true, E=1.5]");
  EXPECT_EQ(merged("labels", "{a: x=y}", "[b=c]"), "[a=x=y, b=c]");
  EXPECT_EQ(merged("environment", "[A=1]", "{B: {c: d}}"),
            "services.a.environment.B must be a string, number, boolean or null");
  EXPECT_EQ(merged("dns", "1.1.1.1", "[8.8.8.8, 1.1.1.1]"), "[1.1.1.1, 8.8.8.8]");
  EXPECT_EQ(merged("env_file", "a.env", "[{path: b.env}, a.env]"), "[a.env, {path: b.env}]");
}

TEST(Merge, HostsAreDroppedOnlyWhenTheyAreTheSame) {
  EXPECT_EQ(merged("extra_hosts", "[a=1, b=2]", "{a: 3, b: 2}"), "[a=1, b=2, a=3]");
}

TEST(Merge, DependenciesAndNetworksBecomeMaps) {
  EXPECT_EQ(merged("depends_on", "[b]", "{b: {condition: service_healthy}, c: {}}"),
            "{b: {condition: service_healthy, required: true}, c: {}}");
  EXPECT_EQ(merged("networks", "[n]", "{n: {aliases: [x]}, m: ~}"), "{n: {aliases: [x]}, m: ~}");
}

TEST(Merge, BuildTakesBothForms) {
  EXPECT_EQ(merged("build", "./dir", "{target: t}"), "{context: ./dir, target: t}");
  EXPECT_EQ(merged("build", "{target: t, args: {A: 1}}", "{args: [A=2], context: .}"),
            "{target: t, args: [A=2], context: .}");
}

TEST(Merge, LoggingOptionsBelongToTheirDriver) {
  EXPECT_EQ(merged("logging", "{driver: d, options: {a: 1}}", "{options: {b: 2}}"),
            "{driver: d, options: {a: 1, b: 2}}");
  EXPECT_EQ(merged("logging", "{driver: d, options: {a: 1}}", "{driver: e}"), "{driver: e}");
}

TEST(Merge, UlimitsAreReplaced) {
  EXPECT_EQ(merged("ulimits", "{n: {soft: 1, hard: 2}}", "{n: {soft: 3}}"), "{n: {soft: 3}}");
}

TEST(Merge, AddressPoolsAreKnownByTheirSubnet) {
  Diagnostics diagnostics;
  const auto network = [](const std::string& pools) {
    return yaml("networks: {n: {ipam: {config: " + pools + "}}}\n");
  };
  const Node model = merge(
      network("[{subnet: 10.0.0.0/8, gateway: 10.0.0.1}]"),
      network("[{subnet: 10.0.0.0/8, ip_range: 10.1.0.0/16}, {subnet: fd::/64}]"), {}, diagnostics);
  EXPECT_EQ(flow(*model.find("networks")->find("n")->find("ipam")->find("config")),
            "[{subnet: 10.0.0.0/8, gateway: 10.0.0.1, ip_range: 10.1.0.0/16}, {subnet: fd::/64}]");
}

TEST(Unify, LaterEntriesTakeThePlaceOfEarlierOnes) {
  EXPECT_EQ(
      merged("volumes", "[{target: /a, source: x}, {target: /b}]", "[{target: /a, source: y}]"),
      "[{target: /a, source: y}, {target: /b}]");
  EXPECT_EQ(merged("ports", "[80]", "[80, 81]"), "[80, 81]");
  EXPECT_EQ(merged("ports", "[{target: 80, published: 1}]",
                   "[{target: 80, published: 1, protocol: tcp}, {target: 80, published: 2}]"),
            "[{target: 80, published: 1, protocol: tcp}, {target: 80, published: 2}]");
  EXPECT_EQ(merged("secrets", "[s]", "[{source: t, target: /run/secrets/s}]"),
            "[{source: t, target: /run/secrets/s}]");
  EXPECT_EQ(merged("configs", "[c]", "[{source: c}]"), "[{source: c}]");
  EXPECT_EQ(merged("expose", "[80, \"90\"]", "[\"80\"]"), "[80, 90]");
  EXPECT_EQ(merged("tmpfs", "/a", "[/a, /b]"), "[/a, /b]");
}

TEST(MergeTags, ResetTakesTheValueAndNamesThePath) {
  Node document =
      yaml("services: {a: {ports: !reset [], image: i, environment: {A: !reset ~, B: 1}}}\n");
  const std::vector<TreePath> paths = take_merge_tags(document);
  EXPECT_EQ(flow(document), "{services: {a: {image: i, environment: {B: 1}}}}");
  EXPECT_EQ(paths, (std::vector<TreePath>{{"services", "a", "ports"},
                                          {"services", "a", "environment", "A"}}));
}

TEST(MergeTags, OverrideKeepsTheValueAndNamesThePath) {
  Node document = yaml("services: {a: {ports: !override [1, !reset 2]}}\n");
  EXPECT_EQ(take_merge_tags(document), (std::vector<TreePath>{{"services", "a", "ports"}}));
  EXPECT_EQ(flow(document), "{services: {a: {ports: [1]}}}");
}

TEST(MergeTags, ErasesWhatIsThereAndNothingElse) {
  Node model = yaml("services: {a: {ports: [1], x.y: 2}, b: [1]}\n");
  erase_paths(model, {{"services", "a", "ports"},
                      {"services", "a", "x.y"},
                      {"services", "b", "0"},
                      {"volumes", "v"}});
  EXPECT_EQ(flow(model), "{services: {a: {}, b: [1]}}");
}

}  // namespace
}  // namespace manifests
