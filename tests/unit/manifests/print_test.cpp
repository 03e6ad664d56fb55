#include "manifests/print.hpp"

#include "tests/unit/manifests/stack_of.hpp"

namespace manifests {
namespace {

TEST(PrintB12, JsonAlwaysHasCommandEntrypointAndIpam) {
  EXPECT_EQ(to_json_text(stack_of("services: {a: {image: i}}")), R"({
  "name": "p",
  "networks": {
    "default": {
      "name": "p_default",
      "ipam": {}
    }
  },
  "services": {
    "a": {
      "command": null,
      "entrypoint": null,
      "image": "i",
      "networks": {
        "default": null
      }
    }
  }
})");
}

TEST(PrintB12, Yaml) {
  EXPECT_EQ(to_yaml(stack_of(R"(
services:
  a:
    image: i
    command: [echo, "$$A", "on", "1"]
    ports: ["8080:80"]
    environment: {A: "yes", B: , C: 1}
    stop_grace_period: 90s
    deploy: {replicas: 2}
    ulimits: {core: 0}
    x-own: {b: 1}
)")),
            R"(name: p
services:
  a:
    command:
      - echo
      - $$$$A
      - "on"
      - "1"
    deploy:
      replicas: 2
    environment:
      A: "yes"
      B: null
      C: "1"
    image: i
    networks:
      default: null
    ports:
      - mode: ingress
        target: 80
        published: "8080"
        protocol: tcp
    stop_grace_period: 1m30s
    ulimits:
      core:
        soft: 0
        hard: 0
    x-own:
      b: 1
networks:
  default:
    name: p_default
)");
}

TEST(PrintB12, SecretsAreNeverShownConfigsAre) {
  const Stack stack = stack_of(
      "services: {a: {image: i, secrets: [s], configs: [c]}}\n"
      "secrets: {s: {environment: SET}}\nconfigs: {c: {content: 'plain'}}\n");
  const Json json = to_json(stack);
  EXPECT_FALSE(json["secrets"]["s"].contains("content"));
  EXPECT_EQ(json["configs"]["c"]["content"], "plain");
  EXPECT_EQ(to_json(stack, Detail::complete)["secrets"]["s"]["content"], "value");
}

TEST(PrintB12, JsonEscapesAsGoDoes) {
  const std::string text =
      to_json_text(stack_of("services: {a: {image: i, labels: {k: '<a> & $b'}}}"));
  EXPECT_NE(text.find(R"("k": "\u003ca\u003e \u0026 $$b")"), std::string::npos);
}

TEST(PrintB12, BytesAndModesAreText) {
  const Json json = to_json(stack_of(
      "services: {a: {image: i, mem_limit: 1g, cpus: 2, secrets: [{source: s, mode: 0440}]}}\n"
      "secrets: {s: {file: f}}\n"));
  EXPECT_EQ(json["services"]["a"]["mem_limit"], "1073741824");
  EXPECT_EQ(json["services"]["a"]["cpus"].dump(), "2");
  EXPECT_EQ(json["services"]["a"]["secrets"][0]["mode"], "0440");
}

TEST(PrintC5, FingerprintLeavesOutWhatDoesNotRecreate) {
  const auto fingerprint = [](const std::string& attributes) {
    return service_fingerprint(service_of(attributes)).dump();
  };
  const std::string base = fingerprint("");
  EXPECT_EQ(fingerprint("scale: 3\nprofiles: []\npull_policy: always\nx-a: 1"), base);
  EXPECT_EQ(fingerprint("build: .\ndeploy: {replicas: 3}"), fingerprint("deploy: {replicas: 5}"));
  EXPECT_NE(fingerprint("tty: true"), base);
  EXPECT_NE(fingerprint("command: []"), base);
}

}  // namespace
}  // namespace manifests
