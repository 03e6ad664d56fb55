#include "manifests/select.hpp"

#include "tests/unit/manifests/stack_of.hpp"

namespace manifests {
namespace {

constexpr const char* kFile =
    "services:\n"
    "  web: {image: i, depends_on: [db], networks: [front]}\n"
    "  db: {image: i, volumes: ['data:/d']}\n"
    "  tool: {image: i, profiles: [debug]}\n"
    "networks: {front: , unused: }\n"
    "volumes: {data: , spare: }\n";

std::string names(const std::map<std::string, Service>& services) {
  std::string text;
  for (const auto& [name, service] : services) text += (text.empty() ? "" : " ") + name;
  return text;
}

TEST(SelectB6, ProfilesTurnServicesOnAndOff) {
  Stack stack = stack_of(kFile);
  EXPECT_EQ(names(stack.services), "db web");
  EXPECT_EQ(names(stack.disabled_services), "tool");
  apply_profiles(stack, {"debug"});
  EXPECT_EQ(names(stack.services), "db tool web");
  apply_profiles(stack, {});
  EXPECT_EQ(names(stack.services), "db web");
  apply_profiles(stack, {"*"});
  EXPECT_EQ(names(stack.services), "db tool web");
}

TEST(SelectB6, NamingAServiceEnablesItsProfiles) {
  Stack stack = stack_of(kFile);
  Diagnostics diagnostics;
  enable_named(stack, {}, {"tool"}, diagnostics);
  EXPECT_EQ(names(stack.services), "db tool web");
  enable_named(stack, {}, {"nope"}, diagnostics);
  ASSERT_EQ(diagnostics.all().size(), 1U);
  EXPECT_EQ(diagnostics.all()[0].message, "no such service: nope");
}

TEST(Select, ServicesAndWhatTheyDependOn) {
  Stack stack = stack_of(kFile);
  Diagnostics diagnostics;
  select_services(stack, {"web"}, true, diagnostics);
  EXPECT_EQ(names(stack.services), "db web");
  select_services(stack, {"web"}, false, diagnostics);
  EXPECT_EQ(names(stack.services), "web");
  EXPECT_TRUE(stack.services.at("web").depends_on.empty());
  EXPECT_FALSE(diagnostics.has_errors());
}

TEST(SelectB12, UnusedResourcesAreDropped) {
  Stack stack = stack_of(kFile);
  prune_unused_resources(stack);
  EXPECT_EQ(stack.networks.size(), 2U);
  EXPECT_TRUE(stack.networks.contains("front"));
  EXPECT_TRUE(stack.networks.contains("default"));
  EXPECT_EQ(stack.volumes.size(), 1U);
}

}  // namespace
}  // namespace manifests
