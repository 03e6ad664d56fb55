#include "manifests/environment.hpp"

#include <gtest/gtest.h>

#include "tests/unit/manifests/temp_project.hpp"

namespace manifests {
namespace {

TEST(Environment, FilesFillGapsInOrder) {
  const TempProject project;
  project.write("a", "A=a\nB=a\n");
  project.write("b", "B=b\nC=$A$X\n");
  Variables environment{{"A", "process"}, {"X", "x"}};
  Diagnostics diagnostics;
  add_env_files({project.at("a"), project.at("b")}, FileKind::regular, environment, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  EXPECT_EQ(environment, (Variables{{"A", "process"}, {"B", "b"}, {"C", "processx"}, {"X", "x"}}));
}

TEST(Environment, NothingIsReadFromDevNull) {
  Variables environment;
  Diagnostics diagnostics;
  add_env_files({"/dev/null"}, FileKind::regular, environment, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  add_env_files({"/dev/zero"}, FileKind::regular_or_pipe, environment, diagnostics);
  EXPECT_TRUE(diagnostics.has_errors());
}

}  // namespace
}  // namespace manifests
