#include "manifests/paths.hpp"

#include <gtest/gtest.h>

#include "tests/unit/manifests/yaml.hpp"

namespace manifests {
namespace {

std::string resolved(const std::string& text) {
  Node model = yaml(text);
  resolve_paths(model, {.directory = "/p", .home = "/home/u"});
  return flow(model);
}

TEST(Paths, AreCleanedByText) {
  EXPECT_EQ(clean_path("/a/./b//../c/"), "/a/c");
  EXPECT_EQ(clean_path("a/.."), ".");
  EXPECT_EQ(clean_path("/"), "/");
  EXPECT_EQ(clean_path("//a"), "/a");
  EXPECT_EQ(join_path("/p", "../q"), "/q");
  EXPECT_EQ(join_path("/p", "/q/"), "/q");
  EXPECT_EQ(parent_directory("/a/b"), "/a");
  EXPECT_EQ(parent_directory("/a"), "/");
  EXPECT_EQ(parent_directory("a"), ".");
}

TEST(Paths, OfBuildsAreResolvedUnlessRemote) {
  EXPECT_EQ(resolved("services: {a: {build: {context: ./x, dockerfile: ../D}}}"),
            "{services: {a: {build: {context: /p/x, dockerfile: ../D}}}}");
  for (const char* context :
       {"https://h/r.git", "git@h:r.git", "github.com/a/b", "service:b", "docker-image://x"}) {
    const std::string text =
        std::string("{services: {a: {build: {additional_contexts: {x: ") + context + "}}}}}";
    EXPECT_EQ(resolved(text), text);
  }
}

TEST(Paths, OfFilesAndMountsAreResolved) {
  EXPECT_EQ(
      resolved("services: {a: {env_file: [{path: e}], label_file: [l], extends: {file: f}}}"),
      "{services: {a: {env_file: [{path: /p/e}], label_file: [/p/l], extends: {file: /p/f}}}}");
  EXPECT_EQ(resolved("services: {a: {volumes: [{type: bind, source: ./s, target: t}]}}"),
            "{services: {a: {volumes: [{type: bind, source: /p/s, target: t}]}}}");
  EXPECT_EQ(resolved("services: {a: {volumes: [{type: volume, source: s}]}}"),
            "{services: {a: {volumes: [{type: volume, source: s}]}}}");
  EXPECT_EQ(resolved("{configs: {c: {file: ~/c}}, secrets: {s: {file: ./s}}}"),
            "{configs: {c: {file: /home/u/c}}, secrets: {s: {file: /p/s}}}");
  EXPECT_EQ(resolved("secrets: {s: {file: 'C:\\s'}}"), "{secrets: {s: {file: C:\\s}}}");
}

TEST(Paths, OfALocalBindVolumeAreResolved) {
  EXPECT_EQ(resolved("volumes: {v: {driver: local, driver_opts: {o: bind, device: d}}}"),
            "{volumes: {v: {driver: local, driver_opts: {o: bind, device: /p/d}}}}");
  const std::string other = "{volumes: {v: {driver_opts: {o: bind, device: d}}, w: ~}}";
  EXPECT_EQ(resolved(other), other);
}

TEST(Paths, StayRelativeToARelativeBase) {
  Node model = yaml("secrets: {s: {file: ./s}}");
  resolve_paths(model, {.directory = "sub", .home = ""});
  EXPECT_EQ(flow(model), "{secrets: {s: {file: sub/s}}}");
}

}  // namespace
}  // namespace manifests
