#include "runtime/container/mount_options.hpp"

#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sys/mount.h>

namespace container {
namespace {

TEST(MountOptions, SortsAttributesFromData) {
  const MountOptions options = parse_mount_options(
      {"rbind", "ro", "nosuid", "rprivate", "size=64m", "noatime", "rro", "lazytime"});
  EXPECT_TRUE(options.bind);
  EXPECT_TRUE(options.recursive_bind);
  EXPECT_EQ(options.set_attributes,
            std::uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME});
  EXPECT_EQ(options.clear_attributes, std::uint64_t{MOUNT_ATTR__ATIME});
  EXPECT_EQ(options.recursive_set_attributes, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(options.propagation, std::uint64_t{MS_PRIVATE});
  EXPECT_TRUE(options.propagation_recursive);
  EXPECT_EQ(options.superblock_flags, std::uint64_t{MS_LAZYTIME});
  EXPECT_EQ(options.data, std::vector<std::string>{"size=64m"});
}

TEST(MountOptions, LaterOnesWin) {
  EXPECT_EQ(parse_mount_options({"ro", "rw"}).set_attributes, 0U);
  EXPECT_EQ(parse_mount_options({"rw", "ro"}).clear_attributes, 0U);
  EXPECT_EQ(parse_mount_options({"noatime", "strictatime"}).set_attributes,
            std::uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(parse_mount_options({"noatime", "relatime"}).set_attributes, 0U);
}

}  // namespace
}  // namespace container
