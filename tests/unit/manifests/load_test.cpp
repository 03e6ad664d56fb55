#include "manifests/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/print.hpp"
#include "tests/unit/manifests/temp_project.hpp"

namespace manifests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LoadTest : public testing::Test {
 protected:
  Json load_json() { return to_json(load(options_).stack); }
  Json service(const std::string& name) { return load_json()["services"][name]; }
  std::string mistake() {
    try {
      load(options_);
    } catch (const InvalidManifest& error) {
      return error.what();
    }
    return "no mistake";
  }

  TempProject project_;
  LoadOptions options_{.project_name = "p", .working_directory = project_.path()};
};

TEST_F(LoadTest, LaterFilesGoOverEarlierOnesInLongAndShortForm) {
  project_.write("compose.yaml",
                 "services: {a: {image: i, ports: [\"80:80\", \"81:81\"], volumes: [\"v:/d\"], "
                 "environment: {A: 1, B: 2}}}\nvolumes: {v: {}, w: {}}\n");
  project_.write("compose.override.yaml",
                 "services: {a: {ports: [\"80:80\"], volumes: [\"w:/d\"], environment: [B=3]}}\n");
  const Json a = service("a");
  EXPECT_EQ(a["ports"].size(), 2U);
  ASSERT_EQ(a["volumes"].size(), 1U);
  EXPECT_EQ(a["volumes"][0]["source"], "w");
  EXPECT_EQ(a["environment"], (Json{{"A", "1"}, {"B", "3"}}));
}

TEST_F(LoadTest, DocumentsOfAFileMergeLikeFiles) {
  project_.write("compose.yaml", "services: {a: {image: i}}\n---\nservices: {a: {user: u}}\n");
  EXPECT_EQ(service("a")["user"], "u");
  EXPECT_EQ(service("a")["image"], "i");
}

TEST_F(LoadTest, ResetAndOverrideReachIntoEarlierFiles) {
  project_.write("compose.yaml",
                 "services: {a: {image: i, user: u, ports: [\"80:80\"]}, b: {image: i}}\n");
  project_.write("compose.override.yaml",
                 "services: {a: {user: !reset null, ports: !override [\"81:81\"]}, b: !reset }\n");
  const Json services = load_json()["services"];
  EXPECT_FALSE(services.contains("b"));
  EXPECT_FALSE(services["a"].contains("user"));
  ASSERT_EQ(services["a"]["ports"].size(), 1U);
  EXPECT_EQ(services["a"]["ports"][0]["target"], 81);
}

TEST_F(LoadTest, PathsOfEveryFileStartAtTheProjectDirectory) {
  project_.write("compose.yaml", "services: {a: {image: i, build: ./x}}\n");
  project_.write("sub/more.yaml", "services: {a: {volumes: [\"./d:/d\"]}}\n");
  options_.files = {"compose.yaml", "sub/more.yaml"};
  EXPECT_EQ(service("a")["build"]["context"], project_.at("x"));
  EXPECT_EQ(service("a")["volumes"][0]["source"], project_.at("d"));
}

TEST_F(LoadTest, ExtendedFilesHaveTheirOwnDirectory) {
  project_.write("compose.yaml", "services: {a: {extends: {service: b, file: sub/base.yaml}}}\n");
  project_.write("sub/base.yaml",
                 "services: {b: {extends: {service: c, file: deep/base.yaml}, build: ./x}}\n");
  project_.write("sub/deep/base.yaml", "services: {c: {image: \"$I\", volumes: [\"./d:/d\"]}}\n");
  options_.environment = {{"I", "img"}};
  EXPECT_EQ(service("a")["build"]["context"], project_.at("sub/x"));
  EXPECT_EQ(service("a")["volumes"][0]["source"], project_.at("sub/deep/d"));
  EXPECT_EQ(service("a")["image"], "img");
}

TEST_F(LoadTest, IncludedProjectsHaveTheirOwnDirectoryAndEnvironment) {
  project_.write(".env", "A=parent\n");
  project_.write("compose.yaml", "include: [sub/compose.yaml]\nservices: {a: {image: \"i$B\"}}\n");
  project_.write("sub/.env", "A=child\nB=child\n");
  project_.write("sub/compose.yaml",
                 "name: other\nservices: {b: {image: \"$A-$B\", build: ., environment: [B]}}\n");
  const Json root = load_json();
  EXPECT_EQ(root["name"], "p");
  EXPECT_EQ(root["services"]["a"]["image"], "i");
  EXPECT_EQ(root["services"]["b"]["image"], "parent-child");
  EXPECT_EQ(root["services"]["b"]["build"]["context"], project_.at("sub"));
  EXPECT_EQ(root["services"]["b"]["environment"]["B"], "child");
}

TEST_F(LoadTest, ServicesMayExtendIncludedOnes) {
  project_.write("compose.yaml", "include: [b.yaml]\nservices: {a: {extends: b, user: u}}\n");
  project_.write("b.yaml", "services: {b: {image: i}}\n");
  EXPECT_EQ(service("a")["image"], "i");
}

TEST_F(LoadTest, RefusesCirclesOfIncludes) {
  project_.write("compose.yaml", "include: [b.yaml]\nservices: {}\n");
  project_.write("b.yaml", "include: [compose.yaml]\nservices: {}\n");
  EXPECT_THAT(mistake(), HasSubstr("include cycle detected:\ncompose.yaml\n include b.yaml\n "
                                   "include compose.yaml"));
}

TEST_F(LoadTest, ReadsStandardInput) {
  options_.files = {"-"};
  options_.stdin_text = "services: {a: {image: i, build: x}}\n";
  EXPECT_EQ(service("a")["build"]["context"], project_.at("x"));
}

TEST_F(LoadTest, ProjectNameIsAVariable) {
  project_.write("compose.yaml", "services: {a: {image: \"$COMPOSE_PROJECT_NAME\"}}\n");
  EXPECT_EQ(service("a")["image"], "p");
}

TEST_F(LoadTest, WarnsOnceOfWhatIsObsoleteOrUnset) {
  project_.write("compose.yaml", "version: \"3\"\nservices: {a: {image: \"i$U\", user: \"$U\"}}\n");
  const Loaded loaded = load(options_);
  ASSERT_EQ(loaded.warnings.size(), 2U);
  EXPECT_THAT(loaded.warnings[0].message, HasSubstr("\"U\" variable is not set"));
  EXPECT_THAT(loaded.warnings[1].message, HasSubstr("`version` is obsolete"));
  EXPECT_THAT(loaded.files, ElementsAre(project_.at("compose.yaml")));
}

TEST_F(LoadTest, SaysWhatIsMissing) {
  EXPECT_THAT(mistake(), HasSubstr("no configuration file provided: not found"));
  options_.files = {"nope.yaml"};
  EXPECT_THAT(mistake(), HasSubstr("open " + project_.at("nope.yaml")));
  project_.write("nope.yaml", "# nothing\n");
  EXPECT_THAT(mistake(), HasSubstr("empty compose file"));
}

TEST_F(LoadTest, ReportsEveryMistakeOfAPhaseAndWhere) {
  project_.write("compose.yaml", "services:\n  a:\n    image: \"${A!}\"\n    user: \"${B!}\"\n");
  EXPECT_THAT(mistake(),
              testing::AllOf(HasSubstr("compose.yaml:3:13"), HasSubstr("services.a.image"),
                             HasSubstr("services.a.user")));
  project_.write("compose.yaml", "services:\n  a:\n    imgae: i\n    prots: []\n");
  EXPECT_THAT(mistake(), testing::AllOf(HasSubstr("compose.yaml:3:5"), HasSubstr("imgae"),
                                        HasSubstr("prots")));
}

TEST_F(LoadTest, ModelWithoutInterpolationKeepsItsVariables) {
  project_.write("compose.yaml", "services: {a: {image: \"i:${TAG!}\", ports: [\"$P:80\"]}}\n");
  options_.interpolate = false;
  const LoadedModel loaded = load_model(options_);
  EXPECT_EQ(loaded.model.find("services")->find("a")->find("image")->text, "i:${TAG!}");
  EXPECT_EQ(loaded.model.find("name")->text, "p");
}

}  // namespace
}  // namespace manifests
