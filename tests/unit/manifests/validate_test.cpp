#include "manifests/validate.hpp"

#include "manifests/cycle.hpp"
#include "tests/unit/manifests/stack_of.hpp"

namespace manifests {
namespace {

/// The errors of one service "a" written in flow style.
std::string errors(const std::string& attributes, const std::string& rest = "") {
  return errors_of("services: {a: {" + attributes + "}, b: {image: i}}\n" + rest);
}

TEST(ValidateA2, ImageOrBuild) {
  EXPECT_EQ(errors("tty: true"),
            "service \"a\" has neither an image nor a build context specified\n");
  EXPECT_EQ(errors("provider: {type: x}"), "");
}

TEST(ValidateA2, ExposeTakesPortsAlone) {
  EXPECT_EQ(errors("image: i, expose: [80, '8000-8010', 53/udp]"), "");
  EXPECT_EQ(errors("image: i, expose: [abc]"), "services.a.expose[0]: invalid port: abc\n");
  EXPECT_EQ(errors("image: i, expose: [80, 80/foo, 1-x, 70000]"),
            "services.a.expose[1]: invalid port: 80/foo\n"
            "services.a.expose[2]: invalid port: 1-x\n"
            "services.a.expose[3]: invalid port: 70000\n");
}

TEST(ValidateA2, UndefinedReferences) {
  EXPECT_EQ(errors("image: i, networks: [n]"), "service \"a\" refers to undefined network n\n");
  EXPECT_EQ(errors("image: i, volumes: ['nn:/x']"),
            "service \"a\" refers to undefined volume nn\n");
  EXPECT_EQ(errors("image: i, configs: [q]"), "service \"a\" refers to undefined config q\n");
  EXPECT_EQ(errors("image: i, secrets: [q]"), "service \"a\" refers to undefined secret q\n");
  EXPECT_EQ(errors("image: i, models: [m]"), "service \"a\" refers to undefined model m\n");
}

TEST(ValidateA2, AllMistakesInOneRun) {
  EXPECT_EQ(errors("image: i, networks: [n], secrets: [q], depends_on: [z], scale: -1"),
            "service \"a\" refers to undefined network n\n"
            "service \"a\" refers to undefined secret q\n"
            "service \"a\" depends on undefined service \"z\"\n"
            "services.a.scale: must be greater than or equal to 0\n");
}

TEST(ValidateA2, AReferenceNamesTheNearest) {
  Diagnostics diagnostics;
  stack_of("services: {a: {image: i, networks: [frnt]}}\nnetworks: {front: }", diagnostics);
  ASSERT_EQ(diagnostics.all().size(), 1U);
  EXPECT_EQ(diagnostics.all()[0].hint, "did you mean 'front'?");
  EXPECT_EQ(diagnostics.all()[0].at.line, 1);
}

TEST(ValidateA2, NetworkMode) {
  EXPECT_EQ(errors("image: i, network_mode: host, networks: [n]", "networks: {n: }"),
            "service a declares mutually exclusive `network_mode` and `networks`\n");
  EXPECT_NE(errors("image: i, network_mode: 'service:x'")
                .find("service \"x\" not found for network_mode 'service:x'"),
            std::string::npos);
}

TEST(ValidateA2, ScaleAndContainerName) {
  EXPECT_EQ(errors("image: i, scale: 2, deploy: {replicas: 3}"),
            "services.a: can't set distinct values on 'scale' and 'deploy.replicas'\n");
  EXPECT_EQ(errors("image: i, scale: 2, container_name: xx"),
            "services.a: can't set container_name and scale as container name must be unique\n");
  EXPECT_EQ(errors_of("services: {a: {image: i, container_name: qq}, b: {image: i, "
                      "container_name: qq}}"),
            "services.b: container name \"qq\" is already in use by service a\n");
}

TEST(ValidateA4, LimitsConflictOnlyWhenBothAreSet) {
  EXPECT_EQ(errors("image: i, mem_limit: 1g, deploy: {resources: {limits: {cpus: '1'}}}"), "");
  EXPECT_EQ(errors("image: i, mem_limit: 1g, deploy: {resources: {limits: {memory: 2g}}}"),
            "services.a: can't set distinct values on 'mem_limit' and "
            "'deploy.resources.limits.memory'\n");
}

TEST(ValidateA4b, UndefinedAndDisabled) {
  EXPECT_EQ(errors_of("services: {a: {image: i, depends_on: [b]}, b: {image: i, profiles: [x]}}"),
            "service \"a\" depends on undefined service \"b\"\n");
  EXPECT_EQ(errors_of("services: {a: {image: i, depends_on: {b: {condition: service_started, "
                      "required: false}}}, b: {image: i, profiles: [x]}}"),
            "");
}

TEST(ValidateA2, CyclesArePrintedAsThePathThatClosesThem) {
  EXPECT_EQ(errors_of("services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}"),
            "dependency cycle detected: a -> b -> a\n");
  EXPECT_EQ(errors_of("services: {a: {image: i, depends_on: [a]}}"),
            "dependency cycle detected: a -> a\n");
}

TEST(ValidateA6, HealthcheckTest) {
  EXPECT_EQ(errors("image: i, healthcheck: {test: [curl]}"),
            "healthcheck.test must start either by \"CMD\", \"CMD-SHELL\" or \"NONE\"\n");
}

TEST(ValidateA2, TheSameTargetTwice) {
  EXPECT_EQ(errors("image: i, tmpfs: /x, volumes: ['/s:/x']"),
            "services.a.volumes[0]: target /x already mounted as services.a.tmpfs[0]\n");
}

TEST(ValidateA9, ExternalVolumeTakesNothingElse) {
  EXPECT_EQ(errors_of("services: {}\nvolumes: {v: {external: true, driver: local}}"),
            "volumes.v: conflicting parameters \"external\" and \"driver\" specified\n");
}

TEST(ValidateA10, ExactlyOneSource) {
  EXPECT_EQ(errors_of("services: {}\nsecrets: {s: {file: f, environment: E}}"),
            "secrets.s: file|environment attributes are mutually exclusive\n");
  EXPECT_EQ(errors_of("services: {}\nconfigs: {c: {}}"),
            "configs.c: one of file|environment|content must be set\n");
}

TEST(Cycle, LongChainsNeedNoDeepStack) {
  Stack stack;
  for (int i = 0; i < 20000; ++i) {
    Service service;
    service.depends_on.emplace("s" + std::to_string(i + 1), Dependency{});
    stack.services.emplace("s" + std::to_string(i), service);
  }
  stack.services.emplace("s20000", Service{});
  EXPECT_TRUE(dependency_cycles(stack).empty());
}

}  // namespace
}  // namespace manifests
