#include "orchestrator/volumes_from.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace orchestrator {
namespace {

TEST(VolumesFromTest, NamesAServiceOrAContainer) {
  const VolumesFrom service = parse_volumes_from("db");
  EXPECT_EQ(service.from.service, "db");
  EXPECT_FALSE(service.read_only);
  const VolumesFrom container = parse_volumes_from("container:shop-db-1:ro");
  EXPECT_EQ(container.from.service, "");
  EXPECT_EQ(container.from.container, "shop-db-1");
  EXPECT_TRUE(container.read_only);
  EXPECT_FALSE(parse_volumes_from("db:rw").read_only);
  EXPECT_THROW(parse_volumes_from("db:rx"), os::Error);
}

TEST(VolumesFromTest, NothingInheritedIsOnesOwnAndTheLaterWins) {
  std::vector<VolumeSource> sources(2);
  sources[0].record.volumes = {{"one", "/a", true}, {"two", "/b", false}};
  sources[1].record.volumes = {{"three", "/b", false}};
  std::string text;
  for (const VolumeUse& use : inherited_uses(sources))
    text += use.name + ":" + use.target + (use.anonymous ? "!" : "") + " ";
  EXPECT_EQ(text, "one:/a three:/b ");
}

}  // namespace
}  // namespace orchestrator
