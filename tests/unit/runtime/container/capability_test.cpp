#include "runtime/container/capability.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace container {
namespace {

TEST(Capability, KnowsDockersDefault) { EXPECT_EQ(default_capabilities(), 0xa80425fbU); }

TEST(Capability, TakesNamesInEveryForm) {
  EXPECT_EQ(capability_number("CAP_CHOWN"), 0U);
  EXPECT_EQ(capability_number("net_admin"), 12U);
  EXPECT_EQ(capability_number("Cap_Checkpoint_Restore"), 40U);
  EXPECT_FALSE(capability_number("CAP_NOPE"));
  EXPECT_FALSE(capability_number(""));
}

TEST(Capability, NamesAndMasksAreInverse) {
  EXPECT_EQ(capability_mask(capability_names(all_capabilities())), all_capabilities());
  EXPECT_EQ(capability_mask(capability_names(default_capabilities())), default_capabilities());
}

TEST(Capability, AddAndDropFollowDocker) {
  EXPECT_EQ(resolve_capabilities({}, {}), 0xa80425fbU);
  EXPECT_EQ(resolve_capabilities({"NET_ADMIN"}, {}), 0xa80435fbU);
  EXPECT_EQ(resolve_capabilities({"all"}, {"CAP_CHOWN"}), own_capabilities() & ~CapabilityMask{1});
  EXPECT_EQ(resolve_capabilities({"CHOWN"}, {"ALL"}), 1U);
  EXPECT_EQ(resolve_capabilities({}, {"ALL"}), 0U);
  EXPECT_EQ(resolve_capabilities({"CHOWN"}, {"CHOWN"}), 0xa80425fbU);
  EXPECT_EQ(resolve_capabilities({}, {"KILL"}), 0xa80425fbU & ~(CapabilityMask{1} << 5));
}

TEST(Capability, NamesEveryUnknownOne) {
  try {
    resolve_capabilities({"FLY", "CHOWN", "SWIM"}, {});
    FAIL();
  } catch (const os::Error& error) {
    EXPECT_STREQ(error.what(), "unknown capability 'FLY', 'SWIM'");
  }
}

}  // namespace
}  // namespace container
