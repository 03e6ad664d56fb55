#include "manifests/include.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/manifests/yaml.hpp"

namespace manifests {
namespace {

using testing::ElementsAre;

std::vector<Include> read(const std::string& items, Diagnostics& diagnostics) {
  return read_includes(*yaml("include: " + items).find("include"), {"/p", "/home/u"}, diagnostics);
}

TEST(Include, ReadsShortAndLongItems) {
  Diagnostics diagnostics;
  const auto items = read(
      "[a/b.yaml, {path: [x/c.yaml, ~/d.yaml], project_directory: q, env_file: e}]", diagnostics);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_THAT(items[0].files, ElementsAre("/p/a/b.yaml"));
  EXPECT_EQ(items[0].directory, "/p/a");
  EXPECT_TRUE(items[0].default_env_file);
  EXPECT_THAT(items[1].files, ElementsAre("/p/x/c.yaml", "/home/u/d.yaml"));
  EXPECT_EQ(items[1].directory, "/p/q");
  EXPECT_THAT(items[1].env_files, ElementsAre("/p/e"));
}

TEST(Include, RefusesOtherForms) {
  Diagnostics diagnostics;
  read("foo", diagnostics);
  read("[{paths: x}]", diagnostics);
  ASSERT_EQ(diagnostics.all().size(), 3U);
  EXPECT_EQ(diagnostics.all()[0].message, "`include` must be a list, got foo");
  EXPECT_EQ(diagnostics.all()[1].message, "include additional properties 'paths' not allowed");
  EXPECT_EQ(diagnostics.all()[2].message, "include.path is required");
}

TEST(Include, LocalDefinitionsAreMergedOverImportedOnes) {
  Node document = yaml("services: {a: {image: local}, c: {image: c}}");
  Diagnostics diagnostics;
  import_model(document,
               yaml("{name: other, services: {a: {image: i, ports: [1], user: u}, b: {image: b}}, "
                    "volumes: {v: ~}}"),
               {{"services", "a", "ports"}}, diagnostics);
  EXPECT_EQ(flow(document),
            "{services: {a: {image: local, user: u}, b: {image: b}, c: {image: c}}, "
            "volumes: {v: ~}}");
}

}  // namespace
}  // namespace manifests
