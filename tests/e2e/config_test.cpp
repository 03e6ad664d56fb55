// `config`: the resolved model as text (Compose B, C4).
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class ConfigTest : public support::StackTest {
 protected:
  json model(std::vector<std::string> before = {}) {
    before.insert(before.end(), {"config", "--format", "json"});
    return json::parse(must(before));
  }
};

TEST_F(ConfigTest, PrintsTheResolvedModelAsYaml) {
  manifest("services: {web: {image: IMAGE, ports: ['8080:80']}}\n");
  EXPECT_THAT(must({"config"}), AllOf(HasSubstr("name: " + project()), HasSubstr("target: 80"),
                                      HasSubstr("published: \"8080\"")));
}

TEST_F(ConfigTest, PrintsTheSameAsJson) {
  manifest("services: {web: {image: IMAGE, depends_on: [db]}, db: {image: IMAGE}}\n");
  const json stack = model();
  EXPECT_EQ(stack.at("name"), project());
  EXPECT_EQ(stack.at("services").at("web").at("depends_on").at("db").at("condition"),
            "service_started");
  EXPECT_TRUE(stack.at("networks").contains("default"));
}

TEST_F(ConfigTest, InterpolatesFromDotEnvAndTheEnvironment) {
  write(".env", "FROM_FILE=file\nBOTH=file\n");
  environment()["BOTH"] = "process";
  manifest(R"(
services:
  web:
    image: IMAGE
    environment:
      A: ${FROM_FILE}
      B: ${BOTH}
      C: ${MISSING:-default}
      D: $$literal
)");
  const json environment = model().at("services").at("web").at("environment");
  EXPECT_EQ(environment.at("A"), "file");
  EXPECT_EQ(environment.at("B"), "process");
  EXPECT_EQ(environment.at("C"), "default");
  EXPECT_EQ(environment.at("D"), "$$literal");
}

TEST_F(ConfigTest, MergesSeveralFiles) {
  manifest("services: {web: {image: IMAGE, environment: {A: 1, B: 1}}}\n");
  write("more.yaml", "services: {web: {environment: {B: 2}, hostname: other}}\n");
  const json web = model({"-f", "compose.yaml", "-f", "more.yaml"}).at("services").at("web");
  EXPECT_EQ(web.at("environment"), (json{{"A", "1"}, {"B", "2"}}));
  EXPECT_EQ(web.at("hostname"), "other");
}

TEST_F(ConfigTest, ReadsTheOverrideFileBesideIt) {
  manifest("services: {web: {image: IMAGE}}\n");
  write("compose.override.yaml", "services: {web: {hostname: changed}}\n");
  EXPECT_EQ(model().at("services").at("web").at("hostname"), "changed");
}

TEST_F(ConfigTest, FollowsAnchorsAndMergeKeys) {
  manifest(R"(
x-base: &base {image: IMAGE, environment: {A: base}}
services:
  web: {<<: *base, hostname: web}
)");
  const json web = model().at("services").at("web");
  EXPECT_EQ(web.at("environment").at("A"), "base");
  EXPECT_EQ(web.at("hostname"), "web");
}

TEST_F(ConfigTest, LeavesOutWhatNoProfileTurnsOn) {
  manifest("services: {web: {image: IMAGE}, debug: {image: IMAGE, profiles: [debug]}}\n");
  EXPECT_FALSE(model().at("services").contains("debug"));
  EXPECT_TRUE(model({"--profile", "debug"}).at("services").contains("debug"));
}

TEST_F(ConfigTest, ListsServicesVolumesAndImages) {
  manifest(R"(
services:
  cache: {image: IMAGE, depends_on: [web]}
  web: {image: IMAGE, volumes: ['data:/data'], depends_on: [db]}
  db: {image: other}
volumes: {data: }
)");
  EXPECT_EQ(must({"config", "--services"}), "db\nweb\ncache\n");
  EXPECT_EQ(must({"config", "--volumes"}), "data\n");
  EXPECT_THAT(must({"config", "--images"}), AllOf(HasSubstr("other"), HasSubstr("test")));
}

TEST_F(ConfigTest, QuietOnlyJudges) {
  manifest("services: {web: {image: IMAGE}}\n");
  EXPECT_EQ(must({"config", "-q"}), "");
  manifest("services: {web: {imag: IMAGE}}\n");
  EXPECT_THAT(stack({"config", "-q"}), ExitsWith(1));
}

TEST_F(ConfigTest, HashesAreStableAndChangeWithTheService) {
  manifest("services: {web: {image: IMAGE}}\n");
  const std::string before = must({"config", "--hash", "web"});
  EXPECT_EQ(must({"config", "--hash", "web"}), before);
  manifest("services: {web: {image: IMAGE, hostname: other}}\n");
  EXPECT_NE(must({"config", "--hash", "web"}), before);
}

TEST_F(ConfigTest, IsItsOwnFixedPoint) {
  manifest(
      "services: {web: {image: IMAGE, command: probe serve, ports: ['80'], environment: [A=1]}}\n");
  const std::string once = must({"config"});
  write("again.yaml", once);
  EXPECT_EQ(must({"-f", "again.yaml", "config"}), once);
}

TEST_F(ConfigTest, NeedsNoRootAndTouchesNothing) {
  manifest("services: {web: {image: IMAGE}}\n");
  must({"config"});
  expect_nothing_left();
}

}  // namespace
}  // namespace e2e
