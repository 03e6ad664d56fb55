#include "orchestrator/reconcile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace orchestrator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A project "shop" whose desired and actual state a test puts together.
class ReconcileTest : public testing::Test {
 protected:
  ReconcileTest() {
    stack_.name = "shop";
    desired_.stack = &stack_;
  }
  manifests::Service& declare(const std::string& name) {
    manifests::Service& service = stack_.services[name];
    service.name = name;
    desired_.services[name] = {{{"image", "app"}}, "hash", "sha256:1"};
    return service;
  }
  ExistingContainer& there(const std::string& service, int number,
                           const std::string& state = "running") {
    ContainerRecord record{.id = service + std::to_string(number),
                           .name = "shop-" + service + "-" + std::to_string(number),
                           .project = "shop",
                           .service = service,
                           .number = number,
                           .image_id = "sha256:1",
                           .fingerprint = {{"image", "app"}},
                           .config_hash = "hash"};
    actual_.containers.push_back({std::move(record), state});
    return actual_.containers.back();
  }
  void outdate(ExistingContainer& container) { container.record.config_hash = "older"; }
  /// The plan's containers as "action name".
  std::vector<std::string> steps() const {
    static const char* const kWords[] = {"keep", "create", "recreate", "start", "remove"};
    std::vector<std::string> text;
    for (const ContainerStep& step : reconcile(desired_, actual_).containers)
      text.push_back(std::string(kWords[static_cast<int>(step.action)]) + " " + step.name);
    return text;
  }
  std::vector<std::string> reasons() const {
    return reconcile(desired_, actual_).containers.at(0).reasons;
  }

  manifests::Stack stack_;
  Desired desired_;
  Actual actual_;
};

// C6: dependencies first. C3: names of replicas.
TEST_F(ReconcileTest, CreatesWhatIsMissingInDependencyOrder) {
  declare("api").depends_on["db"];
  declare("db");
  desired_.scale = {{"api", 2}};
  EXPECT_THAT(steps(), ElementsAre("create shop-db-1", "create shop-api-1", "create shop-api-2"));
  EXPECT_FALSE(reconcile(desired_, actual_).nothing_to_do());
}

// C5: unchanged and running: nothing else happens.
TEST_F(ReconcileTest, KeepsWhatRunsAndStartsWhatDoesNot) {
  declare("web");
  there("web", 1);
  EXPECT_THAT(steps(), ElementsAre("keep shop-web-1"));
  EXPECT_TRUE(reconcile(desired_, actual_).nothing_to_do());
  actual_.containers[0].state = "exited";
  EXPECT_THAT(steps(), ElementsAre("start shop-web-1"));
}

// C5: hash or image id differ.
TEST_F(ReconcileTest, RecreatesWhatChangedAndSaysWhy) {
  declare("web");
  ExistingContainer& container = there("web", 1);
  outdate(container);
  container.record.fingerprint = {{"image", "app"}, {"user", "root"}};
  EXPECT_THAT(steps(), ElementsAre("recreate shop-web-1"));
  EXPECT_THAT(reasons(), ElementsAre("user"));
  container.record.config_hash = "hash";
  container.record.image_id = "sha256:0";
  EXPECT_THAT(reasons(), ElementsAre("image is a newer one"));
}

// C5: --no-recreate creates only what is missing.
TEST_F(ReconcileTest, RecreatesNothingWhenToldSo) {
  declare("web");
  outdate(there("web", 1));
  desired_.no_recreate = true;
  desired_.scale = {{"web", 2}};
  EXPECT_THAT(steps(), ElementsAre("keep shop-web-1", "create shop-web-2"));
}

// C5: force applies to targets, --always-recreate-deps to the others.
TEST_F(ReconcileTest, ForcesTargetsOrTheirDependencies) {
  declare("api").depends_on["db"];
  declare("db");
  there("api", 1);
  there("db", 1);
  desired_.targets = {"api"};
  desired_.force_recreate = true;
  EXPECT_THAT(steps(), ElementsAre("keep shop-db-1", "recreate shop-api-1"));
  desired_.force_recreate = false;
  desired_.always_recreate_deps = true;
  EXPECT_THAT(steps(), ElementsAre("recreate shop-db-1", "keep shop-api-1"));
}

// C5: who shares a namespace is recreated with its owner.
TEST_F(ReconcileTest, RecreatesThoseWhoShareANamespace) {
  declare("vpn");
  manifests::Service& app = declare("app");
  app.network_mode = "service:vpn";
  app.depends_on["vpn"];
  outdate(there("vpn", 1));
  there("app", 1);
  EXPECT_THAT(steps(), ElementsAre("recreate shop-vpn-1", "recreate shop-app-1"));
}

// C5: outdated first, then the highest number.
TEST_F(ReconcileTest, ScalesDownTheOutdatedThenTheHighest) {
  declare("web");
  outdate(there("web", 1));
  there("web", 2);
  there("web", 3);
  desired_.scale = {{"web", 1}};
  EXPECT_THAT(steps(), ElementsAre("remove shop-web-1", "remove shop-web-3", "keep shop-web-2"));
  desired_.scale = {{"web", 0}};
  EXPECT_THAT(steps(), ElementsAre("remove shop-web-1", "remove shop-web-2", "remove shop-web-3"));
}

TEST_F(ReconcileTest, RefusesAScaleThatCannotBe) {
  declare("web").container_name = "the-web";
  EXPECT_THAT(steps(), ElementsAre("create the-web"));
  desired_.scale = {{"web", 2}};
  EXPECT_THROW(reconcile(desired_, actual_), os::Error);
  desired_.scale = {{"web", -1}};
  EXPECT_THROW(reconcile(desired_, actual_), os::Error);
}

// C5: neither declared nor disabled by a profile; one-offs that have exited.
TEST_F(ReconcileTest, FindsOrphans) {
  stack_.disabled_services["debug"].name = "debug";
  there("debug", 1);
  there("gone", 1);
  ExistingContainer& ended = there("web", 0, "exited");
  ended.record.name = "shop-web-run-1";
  ended.record.oneoff = true;
  ExistingContainer& busy = there("web", 0);
  busy.record.name = "shop-web-run-2";
  busy.record.oneoff = true;
  declare("web");

  const Plan plan = reconcile(desired_, actual_);
  EXPECT_THAT(plan.orphans, ElementsAre("shop-gone-1", "shop-web-run-1"));
  EXPECT_THAT(steps(), ElementsAre("create shop-web-1"));
  desired_.remove_orphans = true;
  EXPECT_THAT(steps(),
              ElementsAre("remove shop-gone-1", "remove shop-web-run-1", "create shop-web-1"));
  EXPECT_THAT(reconcile(desired_, actual_).orphans, IsEmpty());
}

TEST_F(ReconcileTest, MakesOwnResourcesOnly) {
  stack_.networks["default"].name = "shop_default";
  stack_.networks["outside"].name = "outside";
  stack_.networks["outside"].external = true;
  stack_.volumes["data"].name = "shop_data";
  actual_.volumes = {"shop_data"};
  EXPECT_EQ(to_text(reconcile(desired_, actual_)),
            "create    Network shop_default\n"
            "keep      Volume shop_data\n");
}

TEST_F(ReconcileTest, ReadsAsALinePerStep) {
  declare("web");
  outdate(there("web", 1));
  there("gone", 1);
  EXPECT_EQ(to_text(reconcile(desired_, actual_)),
            "recreate  Container shop-web-1  (configuration)\n"
            "leave     Container shop-gone-1  (orphan)\n");
}

}  // namespace
}  // namespace orchestrator
