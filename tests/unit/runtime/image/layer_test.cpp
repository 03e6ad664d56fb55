#include "runtime/image/layer.hpp"

#include <sys/xattr.h>

#include "tests/unit/runtime/image/layer_fixture.hpp"

namespace image {
namespace {

using support::TarBuilder;

class LayerTest : public LayerFixture {};

TEST_F(LayerTest, UnpacksWhatHonestArchivesHold) {
  const std::string tar = TarBuilder()
                              .directory("./", 0711)
                              .directory("etc/", 0700)
                              .file("etc/passwd", "root", 0640)
                              .file("bin/su", "su", 04755)
                              .symlink("sbin", "bin")
                              .hardlink("bin/alias", "bin/su")
                              .add({.name = "run/pipe", .type = '6', .mode = 0600})
                              .finish();
  const LayerSummary summary = unpack(tar);
  EXPECT_EQ(summary.diff_id, Digest::of(tar));
  EXPECT_EQ(summary.bytes, static_cast<std::int64_t>(tar.size()));
  EXPECT_EQ(summary.entries, 7);
  EXPECT_EQ(summary.compression, "");
  EXPECT_EQ(content("etc/passwd"), "root");
  EXPECT_EQ(status_of("").st_mode & 07777, 0711U);
  EXPECT_EQ(status_of("etc").st_mode & 07777, 0700U);
  EXPECT_EQ(status_of("etc/passwd").st_mode & 07777, 0640U);
  EXPECT_EQ(status_of("bin/su").st_mode & 07777, 04755U);
  EXPECT_EQ(status_of("bin/su").st_ino, status_of("bin/alias").st_ino);
  EXPECT_EQ(status_of("bin").st_mode & 07777, 0755U);
  EXPECT_TRUE(S_ISLNK(status_of("sbin").st_mode));
  EXPECT_TRUE(S_ISFIFO(status_of("run/pipe").st_mode));
  for (const char* name : {"etc", "etc/passwd", "sbin", "run/pipe"})
    EXPECT_EQ(status_of(name).st_mtim.tv_sec, 1'000'000'000) << name;
}

TEST_F(LayerTest, AbsoluteNamesAreInsideTheRoot) {
  unpack(TarBuilder().file(canary(), "evil").file("//etc/x", "y").finish());
  EXPECT_EQ(content("etc/x"), "y");
  EXPECT_EQ(content(canary()), "evil");
}

TEST_F(LayerTest, DotDotThatLeavesTheRootIsRefused) {
  expect_refused(TarBuilder().file("../outside/canary", "evil"), "leaves the root");
  expect_refused(TarBuilder().file("a/../../outside/canary", "evil"), "leaves the root");
  expect_refused(TarBuilder().hardlink("x", "../outside/canary"), "leaves the root");
  expect_refused(TarBuilder().directory(".."), "leaves the root");
}

TEST_F(LayerTest, AFileThroughASymbolicLinkStaysInside) {
  unpack(TarBuilder().symlink("up", "../outside").file("up/canary", "evil").finish());
  EXPECT_EQ(content("outside/canary"), "evil");
  unpack(TarBuilder().symlink("abs", outside()).file("abs/canary", "evil").finish());
  EXPECT_EQ(content(outside() + "/canary"), "evil");
}

TEST_F(LayerTest, AFileReplacesTheLinkAtItsPlace) {
  unpack(TarBuilder().symlink("link", canary()).file("link", "evil").finish());
  EXPECT_TRUE(S_ISREG(status_of("link").st_mode));
  EXPECT_EQ(content("link"), "evil");
}

TEST_F(LayerTest, ADirectoryReplacesTheLinkAtItsPlace) {
  unpack(
      TarBuilder().symlink("link", outside()).directory("link", 0777).file("link/x", "y").finish());
  EXPECT_TRUE(S_ISDIR(status_of("link").st_mode));
  EXPECT_EQ(content("link/x"), "y");
}

TEST_F(LayerTest, AHardLinkNeverFollowsALinkOut) {
  // The link itself is linked, as in the archive's own tree.
  unpack(TarBuilder().symlink("link", canary()).hardlink("hard", "link").finish());
  EXPECT_TRUE(S_ISLNK(status_of("hard").st_mode));
  expect_refused(TarBuilder().hardlink("hard", canary()), "link to");
  expect_refused(TarBuilder().symlink("d", outside()).hardlink("hard", "d/canary"), "link to");
  expect_refused(TarBuilder().directory("d").hardlink("hard", "d"), "link to");
  expect_refused(TarBuilder().hardlink("hard", "/"), "names no file");
}

TEST_F(LayerTest, WritingThroughAHardLinkOfALinkStaysInside) {
  unpack(TarBuilder()
             .symlink("link", canary())
             .hardlink("hard", "link")
             .file("hard", "evil")
             .finish());
  EXPECT_EQ(content("hard"), "evil");
}

TEST_F(LayerTest, WhiteoutsOfNoNameAreRefused) {
  expect_refused(TarBuilder().file(".wh.", ""), "whiteout of no name");
  expect_refused(TarBuilder().file("a/.wh..", ""), "whiteout of no name");
  expect_refused(TarBuilder().file("a/.wh...", ""), "whiteout of no name");
  expect_refused(TarBuilder().file(".wh.a/x", ""), "lies in a whiteout");
}

TEST_F(LayerTest, WhiteoutsThroughALinkStayInside) {
  unpack(TarBuilder().symlink("out", outside()).file("out/.wh.canary", "").finish());
  unpack(TarBuilder().file("out/.wh..wh..opq", "").finish());
}

TEST_F(LayerTest, AWhiteoutRemovesWhatIsBelowAndNothingElse) {
  unpack(TarBuilder().file("d/a", "1").file("d/b", "2").file("d/c/x", "3").finish());
  unpack(TarBuilder()
             .file("d/.wh.a", "")
             .file("d/.wh.nothing", "")
             .file("d/.wh..wh.plnk", "")
             .finish());
  EXPECT_TRUE(is_whiteout(status_of("d/a")));
  EXPECT_TRUE(missing("d/nothing"));
  EXPECT_TRUE(missing("d/.wh.a"));
  EXPECT_EQ(merged("d/a"), std::nullopt);
  EXPECT_EQ(merged("d/b"), "2");
}

TEST_F(LayerTest, AWhiteoutSparesTheFileOfItsOwnLayer) {
  unpack(TarBuilder().file("before", "old").file("after", "old").finish());
  unpack(TarBuilder()
             .file(".wh.before", "")
             .file("before", "new")
             .file("after", "new")
             .file(".wh.after", "")
             .finish());
  EXPECT_EQ(merged("before"), "new");
  EXPECT_EQ(merged("after"), "new");
}

TEST_F(LayerTest, ADeviceThatIsAWhiteoutIsRefused) {
  expect_refused(TarBuilder().add({.name = "etc", .type = '3'}), "0:0");
}

TEST_F(LayerTest, OnlyHarmlessAttributesAreSet) {
  const std::string tar = TarBuilder()
                              .add({.name = "f",
                                    .pax = {{"SCHILY.xattr.user.good", "1"},
                                            {"SCHILY.xattr.user.overlay.opaque", "y"},
                                            {"SCHILY.xattr.trusted.overlay.opaque", "y"},
                                            {"SCHILY.xattr.trusted.overlay.redirect", "/etc"},
                                            {"SCHILY.xattr.system.posix_acl_access", "x"},
                                            {"SCHILY.xattr.security.selinux", "x"}}})
                              .finish();
  EXPECT_GE(unpack(tar).skipped_xattrs, 5);
  std::array<char, 256> list{};
  const ssize_t length = ::listxattr(path("f").c_str(), list.data(), list.size());
  const std::string names(list.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  EXPECT_EQ(names.find("overlay"), std::string::npos);
  EXPECT_EQ(names.find("selinux"), std::string::npos);
}

TEST_F(LayerTest, OfTwoEntriesTheLastWins) {
  unpack(TarBuilder()
             .file("x", "first")
             .file("x", "second")
             .directory("d")
             .file("d/inside", "1")
             .symlink("d", outside())
             .file("f", "1")
             .directory("f")
             .file("f/inside", "2")
             .file("t", "1")
             .hardlink("t", "x")
             .finish());
  EXPECT_EQ(content("x"), "second");
  EXPECT_TRUE(S_ISLNK(status_of("d").st_mode));
  EXPECT_EQ(content("f/inside"), "2");
  EXPECT_EQ(content("t"), "second");
}

TEST_F(LayerTest, ADirectoryTwiceKeepsItsContentAndTakesTheNewMode) {
  unpack(TarBuilder().directory("d", 0700).file("d/x", "1").directory("d", 0751).finish());
  EXPECT_EQ(content("d/x"), "1");
  EXPECT_EQ(status_of("d").st_mode & 07777, 0751U);
}

TEST_F(LayerTest, AHardLinkToItselfChangesNothing) {
  unpack(TarBuilder().file("x", "1").hardlink("x", "x").finish());
  EXPECT_EQ(content("x"), "1");
  expect_refused(TarBuilder().directory("d").file("d/f", "1").hardlink("d", "d/f"), "link to");
}

TEST_F(LayerTest, AFileInTheWayOfADirectoryIsAnError) {
  expect_refused(TarBuilder().file("a", "1").file("a/b", "2"), "unpack below 'a'");
}

TEST_F(LayerTest, ALinkToItselfIsAnError) {
  expect_refused(TarBuilder().symlink("a", "b").symlink("b", "a").file("a/x", "1"), "link");
}

TEST_F(LayerTest, TheRootCannotBeAFile) {
  expect_refused(TarBuilder().file(".", "1"), "the root must be a directory");
  // A file whose name ends in a slash is a directory, and what follows it is then no header.
  expect_refused(TarBuilder().file("./", "1"), "read the next entry");
  expect_refused(TarBuilder().symlink("/", outside()), "the root must be a directory");
}

TEST_F(LayerTest, LongNamesAreRefused) {
  expect_refused(TarBuilder().file(std::string(256, 'x'), "1"), "File name too long");
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "d/";
  expect_refused(TarBuilder().file(deep + "f", "1"), "File name too long");
  expect_refused(TarBuilder().symlink("l", std::string(5000, 'x')), "File name too long");
}

TEST_F(LayerTest, DepthIsBoundedThroughLinksToo) {
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += "d/";
  expect_refused(TarBuilder().file(deep + "f", "1"), "nested deeper");
  TarBuilder chain;
  std::string at;
  for (int i = 0; i < 10; ++i) {
    std::string below = at;
    for (int k = 0; k < 40; ++k) below += "d/";
    chain.directory(below);
    at = "l" + std::to_string(i) + "/";
    chain.symlink("l" + std::to_string(i), "/" + below);
  }
  expect_refused(chain, "");
}

TEST_F(LayerTest, LimitsHold) {
  Limits limits;
  limits.entries = 3;
  expect_refused(TarBuilder().file("a", "").file("b", "").file("c", "").file("d", ""), "3 entries",
                 limits);
  limits = {};
  limits.bytes = 4000;
  expect_refused(TarBuilder().file("a", std::string(5000, 'x')), "4000 bytes", limits);
  // A sparse file says it is large without being so in the archive.
  expect_refused(TarBuilder().add({.name = "s",
                                   .content = "",
                                   .pax = {{"GNU.sparse.major", "1"},
                                           {"GNU.sparse.minor", "0"},
                                           {"GNU.sparse.name", "s"},
                                           {"GNU.sparse.realsize", "9223372036854775807"}}}),
                 "");
}

TEST_F(LayerTest, OversizedPaxHeadersAreRefused) {
  expect_refused(TarBuilder().add({.name = "f", .pax = {{"comment", std::string(2 << 20, 'x')}}}),
                 "");
  // A record whose length points past its header means nothing.
  unpack(TarBuilder()
             .add({.name = "h", .type = 'x', .content = "999999 path=x\n"})
             .file("f", "1")
             .finish());
  EXPECT_EQ(content("f"), "1");
}

TEST_F(LayerTest, OwnersOutOfRangeAreRefused) {
  expect_refused(TarBuilder().add({.name = "f", .pax = {{"uid", "4294967295"}}}), "out of range");
  expect_refused(TarBuilder().add({.name = "f", .pax = {{"gid", "99999999999"}}}), "out of range");
}

TEST_F(LayerTest, DamagedArchivesAreRefused) {
  EXPECT_THROW(unpack(std::string(2000, 'x')), os::Error);
  const std::string tar = TarBuilder().file("f", std::string(5000, 'x')).finish();
  EXPECT_THROW(unpack(tar.substr(0, 3000)), os::Error);
  EXPECT_THROW(unpack(""), os::Error);
}

TEST_F(LayerTest, WhatFollowsTheEndCountsForTheDigest) {
  const std::string tar = TarBuilder().file("f", "1").finish() + std::string(20'000, 'z');
  EXPECT_EQ(unpack(tar).diff_id, Digest::of(tar));
}

TEST_F(LayerTest, AnEmptyLayerIsFine) {
  EXPECT_EQ(unpack(TarBuilder().finish()).entries, 0);
  EXPECT_EQ(status_of("").st_mode & 07777, 0755U);
}

TEST_F(LayerTest, NamesAreBytes) {
  unpack(TarBuilder().file("gr\xc3\xbc\xc3\x9f", "1").file("latin\xe9", "2").finish());
  EXPECT_EQ(content("gr\xc3\xbc\xc3\x9f"), "1");
  EXPECT_EQ(content("latin\xe9"), "2");
  unpack(TarBuilder()
             .add({.name = "short",
                   .content = "3",
                   .pax = {{"path",
                            "gr\xc3\xbc\xc3\x9f"
                            "2"}}})
             .finish());
  EXPECT_EQ(content("gr\xc3\xbc\xc3\x9f"
                    "2"),
            "3");
}

TEST_F(LayerTest, SparseFilesKeepTheirHoles) {
  // GNU sparse 1.0: the map (count, offset, size) is the first block of the content.
  std::string map = "1\n1048576\n3\n";
  map.resize(512, '\0');
  unpack(TarBuilder()
             .add({.name = "GNUSparseFile.0/s",
                   .content = map + "end",
                   .pax = {{"GNU.sparse.major", "1"},
                           {"GNU.sparse.minor", "0"},
                           {"GNU.sparse.name", "s"},
                           {"GNU.sparse.realsize", "2097152"}}})
             .finish());
  EXPECT_EQ(status_of("s").st_size, 2097152);
  EXPECT_LT(status_of("s").st_blocks, 200);
  EXPECT_EQ(content("s").substr(1048576, 3), "end");
}

TEST_F(LayerTest, AMissingParentContinuesTheLowerOne) {
  unpack(TarBuilder().directory("d", 0700).directory("d/e", 01777).finish());
  unpack(TarBuilder().file("d/e/f", "1").file("new/f", "2").finish());
  EXPECT_EQ(status_of("d").st_mode & 07777, 0700U);
  EXPECT_EQ(status_of("d/e").st_mode & 07777, 01777U);
  EXPECT_EQ(status_of("d/e").st_mtim.tv_sec, 1'000'000'000);
  EXPECT_EQ(status_of("new").st_mode & 07777, 0755U);
}

TEST_F(LayerTest, ALinkOfALowerLayerIsFollowedInside) {
  unpack(
      TarBuilder().directory("usr/lib").symlink("lib", "usr/lib").symlink("o", outside()).finish());
  unpack(TarBuilder().file("lib/f", "1").file("o/canary", "evil").finish());
  EXPECT_EQ(content("usr/lib/f"), "1");
  EXPECT_TRUE(missing("lib"));
  EXPECT_EQ(merged("lib/f"), "1");
  EXPECT_EQ(merged("o/canary"), "evil");
}

TEST_F(LayerTest, AHardLinkToALowerFileCopiesItUp) {
  unpack(TarBuilder().file("a", "1", 0640).finish());
  unpack(TarBuilder().hardlink("b", "a").finish());
  EXPECT_EQ(content("b"), "1");
  EXPECT_EQ(status_of("a").st_ino, status_of("b").st_ino);
  EXPECT_EQ(status_of("b").st_mode & 07777, 0640U);
}

TEST_F(LayerTest, TheRootContinuesTheLowerOne) {
  unpack(TarBuilder().directory("./", 0710).finish());
  unpack(TarBuilder().file("x", "").finish());
  EXPECT_EQ(status_of("").st_mode & 07777, 0710U);
}

}  // namespace
}  // namespace image
