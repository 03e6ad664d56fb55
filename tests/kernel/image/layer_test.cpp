// Layers that take root to unpack: owners, devices, opaque directories as overlayfs reads them.
#include "runtime/image/layer.hpp"

#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "runtime/image/copy_up.hpp"
#include "tests/unit/runtime/image/layer_fixture.hpp"

namespace image {
namespace {

using support::TarBuilder;

class RootLayerTest : public LayerFixture {
 protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0U) << "needs root: owners, devices, trusted attributes";
    LayerFixture::SetUp();
  }
  void TearDown() override {
    if (::geteuid() == 0) LayerFixture::TearDown();
  }

  /// What overlayfs itself shows of the layers: names below `path`, or nothing when it is missing.
  std::vector<std::string> shown(const std::string& path) {
    const os::TempDir mount_point;
    std::string options = "lowerdir=";
    for (int i = layers_ - 1; i >= 0; --i) options += layer(i) + (i > 0 ? ":" : "");
    if (layers_ == 1) options += ":" + mount_point.path();  // it wants two
    os::check(::mount("overlay", mount_point.path().c_str(), "overlay", MS_RDONLY, options.c_str()),
              [&] { return "mount overlay with " + options; });
    auto names = os::list_directory(mount_point.path() + "/" + path);
    os::check(::umount2(mount_point.path().c_str(), MNT_DETACH), [] { return "unmount"; });
    return names;
  }
};

TEST_F(RootLayerTest, OwnersAndSetUserIdAreKept) {
  unpack(TarBuilder()
             .add({.name = "su", .mode = 06755, .uid = 12, .gid = 34})
             .add({.name = "d", .type = '5', .mode = 02750, .uid = 70000, .gid = 80000})
             .add({.name = "l", .type = '2', .link = "x", .uid = 5, .gid = 6})
             .finish());
  EXPECT_EQ(status_of("su").st_uid, 12U);
  EXPECT_EQ(status_of("su").st_gid, 34U);
  EXPECT_EQ(status_of("su").st_mode & 07777, 06755U);
  EXPECT_EQ(status_of("d").st_uid, 70000U);
  EXPECT_EQ(status_of("d").st_mode & 07777, 02750U);
  EXPECT_EQ(status_of("l").st_gid, 6U);
}

TEST_F(RootLayerTest, DevicesAreMadeButNoWhiteouts) {
  unpack(TarBuilder()
             .add({.name = "null", .type = '3', .mode = 0666, .major = 1, .minor = 3})
             .add({.name = "loop", .type = '4', .mode = 0660, .major = 7, .minor = 0})
             .finish());
  EXPECT_EQ(status_of("null").st_rdev, ::makedev(1, 3));
  EXPECT_EQ(status_of("null").st_mode & 07777, 0666U);
  EXPECT_TRUE(S_ISBLK(status_of("loop").st_mode));
  expect_refused(TarBuilder().add({.name = "etc", .type = '3'}), "0:0");
}

TEST_F(RootLayerTest, CapabilitiesAreKept) {
  // cap_net_raw+ep, as setcap(8) writes it: revision 2.
  std::string value(
      "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00",
      20);
  unpack(TarBuilder()
             .add({.name = "ping", .pax = {{"SCHILY.xattr.security.capability", value}}})
             .finish());
  EXPECT_EQ(::getxattr(path("ping").c_str(), "security.capability", nullptr, 0), 20);
}

TEST_F(RootLayerTest, OpaqueDirectoriesHideWhatIsBelow) {
  unpack(TarBuilder().file("d/old", "1").file("d/sub/old", "2").finish());
  unpack(TarBuilder().file("d/new", "3").file("d/.wh..wh..opq", "").finish());
  EXPECT_EQ(shown("d"), std::vector<std::string>{"new"});
  EXPECT_EQ(merged("d/old"), std::nullopt);
  EXPECT_EQ(merged("d/new"), "3");
}

TEST_F(RootLayerTest, ADirectoryAfterItsWhiteoutStartsEmpty) {
  unpack(
      TarBuilder().file("before/old", "1").file("after/old", "2").file("deep/old", "3").finish());
  unpack(TarBuilder()
             .file(".wh.before", "")
             .directory("before")
             .file("before/new", "")
             .directory("after")
             .file("after/new", "")
             .file(".wh.after", "")
             .file(".wh.deep", "")
             .file("deep/new", "")
             .finish());
  for (const char* name : {"before", "after", "deep"})
    EXPECT_EQ(shown(name), std::vector<std::string>{"new"}) << name;
}

TEST_F(RootLayerTest, AnOpaqueRootHidesEveryName) {
  unpack(TarBuilder().file("old", "1").file("d/old", "2").file("kept/old", "3").finish());
  unpack(TarBuilder().file("kept/new", "").file(".wh..wh..opq", "").file("later", "").finish());
  EXPECT_EQ(shown(""), (std::vector<std::string>{"kept", "later"}));
  EXPECT_EQ(shown("kept"), std::vector<std::string>{"new"});
}

TEST_F(RootLayerTest, AnOpaqueMarkThroughALinkStaysInside) {
  unpack(TarBuilder().symlink("out", outside()).file("out/.wh..wh..opq", "").finish());
  unpack(TarBuilder().symlink("out", "/").file("out/.wh..wh..opq", "").finish());
}

TEST_F(RootLayerTest, WhiteoutsWorkAsTheKernelReadsThem) {
  unpack(TarBuilder().file("d/a", "1").file("d/b", "2").directory("gone").finish());
  unpack(TarBuilder().file("d/.wh.a", "").file(".wh.gone", "").finish());
  EXPECT_EQ(shown("d"), std::vector<std::string>{"b"});
  EXPECT_EQ(shown(""), std::vector<std::string>{"d"});
}

TEST_F(RootLayerTest, AnOverlayAttributeInTheArchiveIsNotObeyed) {
  unpack(TarBuilder().file("d/lower", "1").finish());
  unpack(TarBuilder()
             .add({.name = "d",
                   .type = '5',
                   .mode = 0755,
                   .pax = {{"SCHILY.xattr.trusted.overlay.opaque", "y"},
                           {"SCHILY.xattr.trusted.overlay.redirect", "/etc"}}})
             .file("d/upper", "2")
             .finish());
  EXPECT_EQ(shown("d"), (std::vector<std::string>{"lower", "upper"}));
  EXPECT_LT(::getxattr(path("d").c_str(), "trusted.overlay.opaque", nullptr, 0), 0);
}

TEST_F(RootLayerTest, MissingParentsTakeOwnersFromBelow) {
  unpack(TarBuilder().add({.name = "d", .type = '5', .mode = 0710, .uid = 7, .gid = 8}).finish());
  unpack(TarBuilder().file("d/f", "1").finish());
  EXPECT_EQ(status_of("d").st_uid, 7U);
  EXPECT_EQ(status_of("d").st_gid, 8U);
  EXPECT_EQ(status_of("d").st_mode & 07777, 0710U);
}

TEST_F(RootLayerTest, CopyUpKeepsOwnersAndAttributes) {
  unpack(TarBuilder()
             .add({.name = "data", .type = '5', .mode = 0751, .uid = 12, .gid = 34})
             .add({.name = "data/f",
                   .content = "1",
                   .mode = 0640,
                   .uid = 56,
                   .gid = 78,
                   .pax = {{"SCHILY.xattr.user.kept", "yes"}}})
             .finish());
  const std::string volume = directory_.path() + "/layer-volumes/v";
  os::make_directories(volume);
  EXPECT_TRUE(copy_up(LayerStack({layer(0)}), "/data", volume));
  struct stat status {};
  ASSERT_EQ(::stat(volume.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 12U);
  EXPECT_EQ(status.st_gid, 34U);
  EXPECT_EQ(status.st_mode & 07777, 0751U);
  ASSERT_EQ(::stat((volume + "/f").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 56U);
  EXPECT_EQ(::getxattr((volume + "/f").c_str(), "user.kept", nullptr, 0), 3);
}

}  // namespace
}  // namespace image
