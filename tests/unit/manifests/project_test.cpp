#include "manifests/project.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/manifests/temp_project.hpp"
#include "tests/unit/manifests/yaml.hpp"

namespace manifests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ProjectTest : public testing::Test {
 protected:
  ProjectPlace find() { return find_project(options_, diagnostics_); }
  std::string name(const std::string& text) {
    return project_name(options_, find(), {yaml(text)}, diagnostics_);
  }

  TempProject project_;
  LoadOptions options_{.working_directory = project_.path()};
  Diagnostics diagnostics_;
};

TEST_F(ProjectTest, NamedFilesStandForThemselves) {
  project_.write("compose.yaml", "");
  options_.files = {"sub/a.yaml", "b.yaml"};
  const ProjectPlace place = find();
  EXPECT_THAT(place.files, ElementsAre(project_.at("sub/a.yaml"), project_.at("b.yaml")));
  EXPECT_EQ(place.directory, project_.at("sub"));
}

TEST_F(ProjectTest, SearchPrefersComposeYamlAndClimbs) {
  project_.write("docker-compose.yml", "");
  project_.write("compose.yaml", "");
  project_.write("compose.override.yml", "");
  project_.write("sub/deep/x", "");
  options_.working_directory = project_.at("sub/deep");
  const ProjectPlace place = find();
  EXPECT_THAT(place.files,
              ElementsAre(project_.at("compose.yaml"), project_.at("compose.override.yml")));
  EXPECT_EQ(place.directory, project_.path());
  ASSERT_EQ(diagnostics_.all().size(), 2U);
  EXPECT_THAT(diagnostics_.all()[0].message, HasSubstr("Found multiple config files"));
}

TEST_F(ProjectTest, ComposeFileMayComeFromDotEnv) {
  project_.write(".env", "COMPOSE_FILE=x/a.yaml:b.yaml\nA=cwd\nCOMPOSE_PROFILES=p, q,\n");
  project_.write("x/.env", "A=project\nB=project\n");
  const ProjectPlace place = find();
  EXPECT_THAT(place.files, ElementsAre(project_.at("x/a.yaml"), project_.at("b.yaml")));
  EXPECT_EQ(place.environment.at("A"), "cwd");
  EXPECT_EQ(place.environment.at("B"), "project");
  EXPECT_THAT(place.profiles, ElementsAre("p", "q"));
}

TEST_F(ProjectTest, ProcessEnvironmentWinsEvenWhenEmpty) {
  project_.write(".env", "A=file\nB=$A-\n");
  options_.environment = {{"A", ""}};
  const ProjectPlace place = find();
  EXPECT_EQ(place.environment.at("A"), "");
  EXPECT_EQ(place.environment.at("B"), "-");
  EXPECT_EQ(place.environment.at("PWD"), project_.path());
}

TEST_F(ProjectTest, NamedEnvFilesTakeThePlaceOfDotEnv) {
  project_.write(".env", "A=dot\n");
  project_.write("one", "A=1\nB=1\n");
  project_.write("two", "B=2$A\n");
  options_.env_files = {"one", "two"};
  const ProjectPlace place = find();
  EXPECT_EQ(place.environment.at("A"), "1");
  EXPECT_EQ(place.environment.at("B"), "21");

  options_.env_files = {"missing"};
  find();
  EXPECT_THAT(diagnostics_.all().back().message,
              HasSubstr("couldn't find env file: " + project_.at("missing")));
}

TEST_F(ProjectTest, DotEnvCanBeSwitchedOff) {
  project_.write(".env", "A=dot\n");
  options_.environment = {{"COMPOSE_DISABLE_ENV_FILE", "1"}};
  EXPECT_FALSE(find().environment.contains("A"));
  options_.environment = {{"COMPOSE_DISABLE_ENV_FILE", "maybe"}};
  find();
  EXPECT_TRUE(diagnostics_.has_errors());
}

TEST_F(ProjectTest, ADirectoryOrPipeIsNoDotEnv) {
  std::filesystem::create_directory(project_.at(".env"));
  find();
  EXPECT_FALSE(diagnostics_.has_errors());
  std::filesystem::remove(project_.at(".env"));
  ASSERT_EQ(::mkfifo(project_.at(".env").c_str(), 0600), 0);
  find();
  EXPECT_TRUE(diagnostics_.has_errors());
}

TEST_F(ProjectTest, NameComesFromTheFirstThatSpeaks) {
  options_.project_directory = "My_Dir.1";
  EXPECT_EQ(name("services: {}"), "my_dir1");
  options_.environment = {{"N", "X"}};
  EXPECT_EQ(name("name: $N-y"), "x-y");
  options_.environment = {{"COMPOSE_PROJECT_NAME", "env"}};
  EXPECT_EQ(name("name: y"), "env");
  options_.project_name = "flag";
  EXPECT_EQ(name("name: y"), "flag");
  EXPECT_FALSE(diagnostics_.has_errors());
}

TEST_F(ProjectTest, NameThatWasGivenMustBeRight) {
  options_.project_name = "Bad Name";
  name("services: {}");
  EXPECT_THAT(diagnostics_.all().back().message, HasSubstr("invalid project name \"Bad Name\""));
  EXPECT_EQ(diagnostics_.all().back().hint, "use \"badname\"");
}

TEST_F(ProjectTest, NameOfAFileMayNotBecomeEmpty) {
  name("name: '--'");
  EXPECT_THAT(diagnostics_.all().back().message, HasSubstr("project name must not be empty"));
}

TEST(ProjectName, IsNormalized) {
  EXPECT_EQ(normalize_project_name("_-My Project.2_"), "myproject2_");
  EXPECT_EQ(normalize_project_name("\xc3\xa9"), "");
}

}  // namespace
}  // namespace manifests
