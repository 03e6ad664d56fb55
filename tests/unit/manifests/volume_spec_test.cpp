#include "manifests/volume_spec.hpp"

#include <gtest/gtest.h>

namespace manifests {
namespace {

/// `TYPE SOURCE>TARGET[ OPTIONS]`, or why it was refused.
std::string mount(std::string_view spec) {
  const auto parsed = parse_volume_spec(spec);
  if (const auto* failure = std::get_if<Unreadable>(&parsed)) return failure->reason;
  const Mount& mount = std::get<Mount>(parsed);
  std::string text = mount.type == MountType::bind ? "bind " : "volume ";
  text += mount.source + ">" + mount.target;
  if (mount.read_only) text += " ro";
  if (mount.volume && mount.volume->nocopy) text += " nocopy";
  if (mount.bind && !mount.bind->selinux.empty()) text += " " + mount.bind->selinux;
  if (mount.bind && !mount.bind->propagation.empty()) text += " " + mount.bind->propagation;
  return text;
}

TEST(VolumeSpecA8, SourceDecidesTheType) {
  EXPECT_EQ(mount("./a:/b"), "bind ./a>/b");
  EXPECT_EQ(mount("/a:/b"), "bind /a>/b");
  EXPECT_EQ(mount("~/a:/b"), "bind ~/a>/b");
  EXPECT_EQ(mount("data:/b"), "volume data>/b");
  EXPECT_EQ(mount("/b"), "volume >/b");
}

TEST(VolumeSpecA8, Mode) {
  EXPECT_EQ(mount("/a:/b:ro,Z,rslave"), "bind /a>/b ro Z rslave");
  EXPECT_EQ(mount("v1:/b:nocopy"), "volume v1>/b nocopy");
  EXPECT_EQ(mount("v1:/b:unknown"), "volume v1>/b");
}

TEST(VolumeSpecA8, TargetIsCleaned) { EXPECT_EQ(mount("/a:/rel/../r/"), "bind /a>/r"); }

TEST(VolumeSpecA8, Errors) {
  EXPECT_EQ(mount(""), "invalid empty volume spec");
  EXPECT_EQ(mount("aa:bb:cc:dd"), "invalid spec: aa:bb:cc:dd: too many colons");
  EXPECT_EQ(mount("abc::/d"), "invalid spec: abc::/d: empty section between colons");
}

TEST(VolumeSpecA8, AOneLetterNameIsAVolume) {
  EXPECT_EQ(mount("v:/data"), "volume v>/data");
  EXPECT_EQ(mount("v:/data:ro"), "volume v>/data ro");
  EXPECT_EQ(mount("c:\\x:/data"), "bind c:\\x>/data");
}

}  // namespace
}  // namespace manifests
