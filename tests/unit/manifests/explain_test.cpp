#include "manifests/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifests/print.hpp"
#include "manifests/report.hpp"
#include "manifests/variables.hpp"
#include "tests/unit/manifests/temp_project.hpp"

namespace manifests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ExplainTest : public testing::Test {
 protected:
  ExplainTest() {
    project_.write("compose.yaml",
                   "services:\n  web:\n    image: nginx:${TAG:-latest}\n    env_file: web.env\n"
                   "    environment:\n      - MODE\n");
    project_.write("web.env", "# of the service\nTAG=inside\n");
  }
  Explanation explain(const std::string& name) { return explain_variable(options_, name); }

  TempProject project_;
  LoadOptions options_{.project_name = "p", .working_directory = project_.path()};
};

TEST_F(ExplainTest, TheProcessWinsOverFiles) {
  project_.write(".env", "OTHER=1\nTAG=file\n");
  options_.environment = {{"TAG", "process"}};
  const Explanation found = explain("TAG");
  ASSERT_EQ(found.sources.size(), 2U);
  EXPECT_TRUE(found.sources[0].wins);
  EXPECT_EQ(found.sources[1].value, "file");
  EXPECT_EQ(found.sources[1].at.line, 2);
  EXPECT_FALSE(found.sources[1].wins);
  ASSERT_EQ(found.uses.size(), 1U);
  EXPECT_EQ(found.uses[0].path, "services.web.image");
  EXPECT_EQ(found.uses[0].value, "process");
  EXPECT_EQ(found.uses[0].at.line, 3);
}

TEST_F(ExplainTest, ALaterFileWinsOverAnEarlierOne) {
  project_.write("a.env", "TAG=a\n");
  project_.write("b.env", "TAG=b\n");
  options_.env_files = {"a.env", "b.env"};
  const Explanation found = explain("TAG");
  ASSERT_EQ(found.sources.size(), 3U);
  EXPECT_EQ(found.sources[1].value, "b");
  EXPECT_TRUE(found.sources[1].wins);
}

TEST_F(ExplainTest, WithoutAnyTheDefaultIsWhatItComesTo) {
  const Explanation found = explain("TAG");
  EXPECT_EQ(found.uses.at(0).value, "latest");
  EXPECT_THAT(to_text(found), AllOf(HasSubstr("TAG is not set"), HasSubstr("${TAG:-latest}"),
                                    HasSubstr("web.env:2:5"), HasSubstr("is \"inside\"")));
  EXPECT_EQ(to_json(found).at("value"), nullptr);
  EXPECT_THAT(to_text(explain("NOBODY")), HasSubstr("Nothing names it"));
}

TEST_F(ExplainTest, ListsVariablesWithDefaultsAndNeeds) {
  project_.write("compose.yaml",
                 "services:\n  web:\n    image: ${A:?tell me}${B:+${C-x}}\n    user: $D$$E\n");
  LoadOptions as_written = options_;
  as_written.interpolate = false;
  const auto found = summarize(variable_uses(load_model(as_written).model));
  ASSERT_EQ(found.size(), 4U);
  EXPECT_TRUE(found[0].required);
  EXPECT_EQ(found[1].alternate_value, "${C-x}");
  EXPECT_EQ(found[2].default_value, "x");
  EXPECT_EQ(found[3].name, "D");
}

TEST_F(ExplainTest, WritesOriginsBesideValues) {
  project_.write("compose.override.yaml", "services:\n  web:\n    user: u\n");
  const std::string text = to_yaml_with_origins(load(options_).stack);
  EXPECT_THAT(text, AllOf(HasSubstr("image: nginx:latest  # compose.yaml:3\n"),
                          HasSubstr("user: u  # compose.override.yaml:3\n"),
                          HasSubstr("TAG: inside  # " + project_.at("web.env") + ":2\n"),
                          HasSubstr("name: p_default  # default\n")));
  const Json leaves = origins_json(load(options_).stack);
  const auto user = std::find_if(leaves.begin(), leaves.end(), [](const Json& leaf) {
    return leaf.at("path") == "services.web.user";
  });
  ASSERT_NE(user, leaves.end());
  EXPECT_EQ(user->at("file"), "compose.override.yaml");
  EXPECT_EQ(user->at("line"), 3);
}

TEST_F(ExplainTest, GivesDiagnosticsAsData) {
  project_.write("compose.yaml",
                 "services:\n  web:\n    imgae: i\n    ports: x\n    depends_on: [wbe]\n"
                 "  db:\n    image: ${X\n    networks: [gone]\n");
  try {
    load(options_);
    FAIL();
  } catch (const InvalidManifest& invalid) {
    const Json data = to_json(invalid.diagnostics()).at("diagnostics");
    std::string lines;
    for (const Json& each : data) lines += std::to_string(each.at("line").get<int>()) + " ";
    // All of them in one run, and none that only follows from another.
    EXPECT_EQ(lines, "7 3 4 8 5 ") << data.dump(1);
    EXPECT_EQ(data[1].at("suggestion"), "image");
    EXPECT_EQ(data[1].at("column"), 5);
    EXPECT_EQ(data[1].at("severity"), "error");
    EXPECT_EQ(data[1].at("excerpt"), "    imgae: i");
    EXPECT_EQ(data[1].at("path"), "services.web.imgae");
  }
}

TEST_F(ExplainTest, SaysOnceWhatHasNoEffect) {
  project_.write("compose.yaml",
                 "services:\n  a:\n    image: i\n    cpu_percent: 50\n  b:\n    image: i\n"
                 "    cpu_percent: 60\n    depends_on:\n      a:\n        condition: "
                 "service_healthy\n");
  std::string text;
  for (const Diagnostic& warning : load(options_).warnings) text += render(warning);
  EXPECT_THAT(text, HasSubstr("compose.yaml:4:5: warning: `cpu_percent` has no effect"));
  EXPECT_THAT(text, Not(HasSubstr("compose.yaml:7")));
  EXPECT_THAT(text, HasSubstr("compose.yaml:9:7: warning: service \"b\" waits for \"a\" to be "
                              "healthy, but \"a\" has no health check"));
}

}  // namespace
}  // namespace manifests
