#include "manifests/canonical.hpp"

#include <gtest/gtest.h>

#include "tests/unit/manifests/yaml.hpp"

namespace manifests {
namespace {

std::string long_form(const std::string& attributes) {
  Diagnostics diagnostics;
  Node model = canonical(yaml("services: {a: {" + attributes + "}}"), diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  const std::string once = flow(*model.find("services")->find("a"));
  EXPECT_EQ(flow(*canonical(model, diagnostics).find("services")->find("a")), once);
  return once;
}

std::string refusal(const std::string& attributes) {
  Diagnostics diagnostics;
  canonical(yaml("services: {a: {" + attributes + "}}"), diagnostics);
  return diagnostics.all().empty() ? "" : diagnostics.all().front().message;
}

TEST(CanonicalA3, BuildStringIsTheContext) {
  EXPECT_EQ(long_form("build: ./x"), "{build: {context: ./x}}");
  EXPECT_EQ(long_form("build: {ssh: [default, k=/p]}"), "{build: {ssh: {default: ~, k: /p}}}");
  EXPECT_EQ(refusal("build: {ssh: [other]}"), "services.a.build.ssh: invalid ssh key \"other\"");
}

TEST(CanonicalA4b, DependsOnListBecomesAMap) {
  EXPECT_EQ(long_form("depends_on: [b]"),
            "{depends_on: {b: {condition: service_started, required: true}}}");
}

TEST(CanonicalA2, ListsBecomeMaps) {
  EXPECT_EQ(long_form("networks: [n]"), "{networks: {n: ~}}");
  EXPECT_EQ(long_form("env_file: .env"), "{env_file: [{path: .env, required: true}]}");
  EXPECT_EQ(long_form("gpus: all"), "{gpus: [{count: all}]}");
}

TEST(CanonicalA2, Devices) {
  EXPECT_EQ(long_form("devices: ['/dev/a:/dev/b:r', /dev/c]"),
            "{devices: [{source: /dev/a, target: /dev/b, permissions: r}, "
            "{source: /dev/c, target: /dev/c, permissions: rwm}]}");
  EXPECT_EQ(refusal("devices: ['a:b:c:d']"),
            "services.a.devices[0]: confusing device mapping, please use long syntax: a:b:c:d");
}

TEST(CanonicalA2P, PortsBecomeLong) {
  EXPECT_EQ(long_form("ports: ['8080:80/udp']"),
            "{ports: [{mode: ingress, target: 80, published: 8080, protocol: udp}]}");
}

TEST(CanonicalA8, VolumesBecomeLong) {
  EXPECT_EQ(long_form("volumes: ['./s:/t:ro', '/anon']"),
            "{volumes: [{type: bind, source: ./s, target: /t, read_only: true, bind: "
            "{create_host_path: true}}, {type: volume, target: /anon, volume: {}}]}");
}

TEST(CanonicalA11, SecretsBecomeLong) {
  EXPECT_EQ(long_form("secrets: [s]"), "{secrets: [{source: s}]}");
}

TEST(Canonical, LenientLeavesWhatItCannotTakeApart) {
  Diagnostics diagnostics;
  const Node model = canonical(yaml("services: {a: {ports: ['${P}']}}"), diagnostics, true);
  EXPECT_EQ(flow(model), "{services: {a: {ports: [${P}]}}}");
  EXPECT_FALSE(diagnostics.has_errors());
}

TEST(Canonical, DefaultsFillWhatAbsenceImplies) {
  Node model = yaml("services: {a: {build: {}, secrets: [{source: s}], ports: [{target: 80}]}}");
  set_defaults(model);
  EXPECT_EQ(flow(model),
            "{services: {a: {build: {context: .}, secrets: [{source: s, target: /run/secrets/s}], "
            "ports: [{target: 80, protocol: tcp, mode: ingress}]}}}");
}

}  // namespace
}  // namespace manifests
