#include "orchestrator/planning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace orchestrator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;

/// web → api → db, and one that stands alone.
manifests::Stack shop() {
  manifests::Stack stack{.name = "shop", .working_directory = "/shop"};
  stack.config_files = {"/shop/a.yaml", "/shop/b.yaml"};
  for (const char* name : {"web", "api", "db", "other"}) stack.services[name].name = name;
  stack.services["web"].depends_on["api"] = {.condition = manifests::Condition::service_healthy,
                                             .restart = true};
  stack.services["api"].depends_on["db"];
  return stack;
}

TEST(ServicesOf, AreTheNamedWithWhatTheyDependOn) {
  EXPECT_THAT(services_of(shop(), {}, false), ElementsAre("api", "db", "other", "web"));
  EXPECT_THAT(services_of(shop(), {"api"}, false), ElementsAre("api", "db"));
  EXPECT_THAT(services_of(shop(), {"api"}, true), ElementsAre("api"));
}

TEST(ServicesOf, RefusesAnUnknownName) {
  try {
    services_of(shop(), {"api", "wbe"}, false);
    FAIL() << "nothing was thrown";
  } catch (const os::Error& error) {
    EXPECT_STREQ(error.what(), "no such service: wbe");
  }
}

// C3: the image of a build is named after project and service.
TEST(ImageOf, IsTheServicesOrThatOfItsBuild) {
  manifests::Stack stack = shop();
  EXPECT_EQ(image_of(stack, stack.services["web"]), "shop-web");
  stack.services["web"].image = "nginx:1.27";
  EXPECT_EQ(image_of(stack, stack.services["web"]), "nginx:1.27");
}

TEST(DesiredState, NamesEveryImageThatIsMissing) {
  const os::TempDir directory;
  const image::Store images(directory.path() + "/images");
  protocol::Up up;
  up.services = {"api"};
  try {
    desired_state(shop(), up, images);
    FAIL() << "nothing was thrown";
  } catch (const os::Error& error) {
    EXPECT_STREQ(error.what(), "no such image: api needs shop-api, db needs shop-db");
  }
}

TEST(PlanUp, FindsContainersAndTheirStateOnDisk) {
  const os::TempDir directory;
  const Paths paths{.data = directory.path() + "/data", .run = directory.path() + "/run"};
  const manifests::Stack stack{.name = "shop"};
  create_record(paths, {.id = make_container_id(),
                        .name = "shop-gone-1",
                        .project = "shop",
                        .service = "gone",
                        .number = 1});
  create_record(paths, {.id = make_container_id(), .name = "blog-web-1", .project = "blog"});
  EXPECT_THAT(plan_up(stack, {}, paths).orphans, ElementsAre("shop-gone-1"));
  protocol::Up up;
  up.remove_orphans = true;
  EXPECT_EQ(to_text(plan_up(stack, up, paths)), "remove    Container shop-gone-1  (orphan)\n");
}

TEST(Slice, KeepsWhatTheServiceRefersToAndNoMore) {
  manifests::Stack stack = shop();
  for (const char* key : {"front", "back"}) stack.networks[key].name = key;
  for (const char* key : {"data", "logs"}) stack.volumes[key].name = key;
  stack.secrets["token"].name = "token";
  manifests::Service& web = stack.services["web"];
  web.networks["front"];
  web.volumes = {{.type = manifests::MountType::volume, .source = "data", .target = "/data"},
                 {.type = manifests::MountType::bind, .source = "logs", .target = "/logs"}};
  const manifests::Stack part = slice(stack, web);
  EXPECT_THAT(part.services, ElementsAre(Key("web")));
  EXPECT_THAT(part.networks, ElementsAre(Key("front")));
  EXPECT_THAT(part.volumes, ElementsAre(Key("data"))) << "a bind's source is a path, not a key";
  EXPECT_THAT(part.secrets, IsEmpty());
  EXPECT_EQ(part.working_directory, "/shop");
}

// C3: the labels by which tools find a project's containers.
TEST(MakeRecord, LabelsTheContainer) {
  manifests::Stack stack = shop();
  manifests::Service& web = stack.services["web"];
  web.labels = {{"mine", "1"}, {"com.docker.compose.project", "forged"}};
  const ContainerRecord record =
      make_record(stack, web, {{{"image", "x"}}, "hash", "sha256:1"}, "shop-web-2", 2);
  EXPECT_EQ(record.name, "shop-web-2");
  EXPECT_EQ(record.number, 2);
  EXPECT_EQ(record.image, "shop-web");
  const auto label = [&](const std::string& key) {
    return record.labels.at("com.docker.compose." + key);
  };
  EXPECT_EQ(record.labels.at("mine"), "1");
  EXPECT_EQ(label("project"), "shop");
  EXPECT_EQ(label("service"), "web");
  EXPECT_EQ(label("container-number"), "2");
  EXPECT_EQ(label("config-hash"), "hash");
  EXPECT_EQ(label("image"), "sha256:1");
  EXPECT_EQ(label("depends_on"), "api:service_healthy:true");
  EXPECT_EQ(label("project.working_dir"), "/shop");
  EXPECT_EQ(label("project.config_files"), "/shop/a.yaml,/shop/b.yaml");
}

}  // namespace
}  // namespace orchestrator
