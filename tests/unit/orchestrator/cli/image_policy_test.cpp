#include "orchestrator/cli/image_policy.hpp"

#include <gtest/gtest.h>

#include "orchestrator/cli/command_line.hpp"

namespace cli {
namespace {

using std::chrono::hours;

manifests::Service service(const std::string& policy, bool build = false) {
  manifests::Service made;
  made.image = "a:1";
  made.pull_policy = policy;
  if (build) made.build.emplace();
  return made;
}

TEST(ImagePolicyTest, TheFilesOwnPolicy) {
  const ServicePull own;
  EXPECT_TRUE(wants_pull(service(""), own, false, {}));
  EXPECT_FALSE(wants_pull(service(""), own, true, {}));
  EXPECT_TRUE(wants_pull(service("always"), own, true, hours(0)));
  EXPECT_FALSE(wants_pull(service("never"), own, false, {}));
  EXPECT_FALSE(wants_pull(service("build"), own, false, {}));
}

TEST(ImagePolicyTest, RefreshGoesByAge) {
  const ServicePull own;
  EXPECT_FALSE(wants_pull(service("daily"), own, true, hours(23)));
  EXPECT_TRUE(wants_pull(service("daily"), own, true, hours(25)));
  EXPECT_FALSE(wants_pull(service("weekly"), own, true, hours(25)));
  EXPECT_TRUE(wants_pull(service("every_12h"), own, true, hours(13)));
  EXPECT_TRUE(wants_pull(service("daily"), own, false, {}));
  EXPECT_FALSE(wants_pull(service("daily"), own, true, {})) << "it never came from a registry";
}

TEST(ImagePolicyTest, TheFlagWins) {
  EXPECT_TRUE(wants_pull(service("never"), {.override_policy = "always"}, true, {}));
  EXPECT_FALSE(wants_pull(service("always"), {.override_policy = "never"}, false, {}));
  EXPECT_FALSE(wants_pull(service("always"), {.override_policy = "missing"}, true, {}));
}

TEST(ImagePolicyTest, WhatIsBuiltIsNotFetchedUnlessTheFileSaysSo) {
  EXPECT_FALSE(wants_pull(service("", true), {}, false, {}));
  EXPECT_TRUE(wants_pull(service("missing", true), {}, false, {}));
  const ServicePull asked{.override_policy = "always", .explicit_pull = true};
  EXPECT_TRUE(wants_pull(service("", true), asked, true, {}));
  EXPECT_FALSE(wants_pull(service("never"), asked, false, {}));
  const ServicePull not_built{
      .override_policy = "always", .ignore_buildable = true, .explicit_pull = true};
  EXPECT_FALSE(wants_pull(service("", true), not_built, true, {}));
  manifests::Service nameless = service("", true);
  nameless.image.clear();
  EXPECT_FALSE(wants_pull(nameless, asked, false, {}));
}

TEST(ImagePolicyTest, OtherPoliciesAreUsageErrors) {
  EXPECT_NO_THROW(check_pull_policy("always"));
  EXPECT_THROW(check_pull_policy("sometimes"), UsageError);
}

}  // namespace
}  // namespace cli
