#include "manifests/extends.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/manifests/yaml.hpp"

namespace manifests {
namespace {

using testing::HasSubstr;

ServiceScope scope_of(const std::string& file, const std::string& services) {
  return {.file = file, .name = file, .services = yaml(services), .resets = {}};
}

class ExtendsTest : public testing::Test {
 protected:
  std::string extended(const std::string& services, std::vector<TreePath> resets = {}) {
    ServiceScope scope = scope_of("main", services);
    scope.resets = std::move(resets);
    apply_extends(
        scope,
        [&](const std::string& path, const Position& at) -> ServiceScope* {
          if (path == "main") return &main_;
          if (path == "base") return &base_;
          diagnostics_.error(at, "open " + path);
          return nullptr;
        },
        diagnostics_);
    return diagnostics_.has_errors() ? diagnostics_.all().front().message : flow(scope.services);
  }

  ServiceScope base_ = scope_of("base",
                                "{b: {image: b, labels: [x=1]}, loop: {extends: {service: "
                                "a, file: main}}}");
  ServiceScope main_ = scope_of("main", "{a: {extends: {service: loop, file: base}}}");
  Diagnostics diagnostics_;
};

TEST_F(ExtendsTest, TakesOverFromTheSameFileAlongTheChain) {
  EXPECT_EQ(extended("{a: {extends: b, user: u}, b: {extends: {service: c}, image: b}, "
                     "c: {image: c, tty: true}}"),
            "{a: {image: b, tty: true, user: u}, b: {image: b, tty: true}, c: {image: c, tty: "
            "true}}");
}

TEST_F(ExtendsTest, TakesOverFromAnotherFile) {
  EXPECT_EQ(extended("{a: {extends: {service: b, file: base}, labels: {x: 2}}}"),
            "{a: {image: b, labels: [x=1, x=2]}}");
}

TEST_F(ExtendsTest, ResetTakesOutOfTheBase) {
  EXPECT_EQ(extended("{a: {extends: b}, b: {image: i, user: u}}", {{"services", "a", "user"}}),
            "{a: {image: i}, b: {image: i, user: u}}");
}

TEST_F(ExtendsTest, RefusesCircles) {
  EXPECT_EQ(extended("{a: {extends: b}, b: {extends: a}}"),
            "Circular reference:\n  a in main\n  extends b in main\n  extends a in main");
}

TEST_F(ExtendsTest, RefusesCirclesAcrossFiles) {
  EXPECT_EQ(extended("{a: {extends: {service: loop, file: base}}}"),
            "Circular reference:\n  a in main\n  extends loop in base\n  extends a in main");
}

TEST_F(ExtendsTest, NamesWhatIsMissing) {
  EXPECT_THAT(extended("{a: {extends: nope}}"),
              HasSubstr("cannot extend service \"a\" in main: service \"nope\" not found"));
  diagnostics_ = {};
  EXPECT_THAT(extended("{a: {extends: {service: c, file: base}}}"),
              HasSubstr("service \"c\" not found in base"));
  diagnostics_ = {};
  EXPECT_EQ(extended("{a: {extends: {file: base}}}"), "extends.a.service is required");
  diagnostics_ = {};
  EXPECT_EQ(extended("{a: {extends: {service: b, file: gone}}}"), "open gone");
}

}  // namespace
}  // namespace manifests
