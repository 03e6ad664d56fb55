// A tree packed and unpacked again, and tars that want to get out.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "runtime/image/tree_extract.hpp"
#include "runtime/image/tree_pack.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "tests/support/tar_builder.hpp"

namespace image {
namespace {

namespace fs = std::filesystem;
using support::TarBuilder;

class TreeCopyTest : public testing::Test {
 protected:
  TreeCopyTest() : root_(os::open_file(place_.path(), O_PATH | O_DIRECTORY)) {
    os::make_directories(path("to"), 0755);
    os::make_directories(path("outside"), 0755);
    options_.keep_owner = true;  // our own: no privilege is needed
  }
  std::string path(const std::string& name) const { return place_.path() + "/" + name; }

  void extract(const std::string& tar) {
    bool given = false;
    extract_tree(
        [&]() -> std::string_view {
          if (std::exchange(given, true)) return {};
          return tar;
        },
        root_.get(), "/to", options_);
  }
  std::string pack(const std::string& name, const std::string& as) {
    os::Pipe pipe = os::make_pipe();
    const os::UniqueFd object = os::open_file(path(name), O_PATH | O_NOFOLLOW);
    std::thread packer([&, end = std::move(pipe.write)]() mutable {
      pack_tree(object.get(), as, end.get());
      end.reset();
    });
    std::string tar = os::read_all(pipe.read.get(), 1 << 24, "the tar");
    packer.join();
    return tar;
  }

  os::TempDir place_;
  os::UniqueFd root_;
  ExtractOptions options_;
};

TEST_F(TreeCopyTest, ATreeComesOutAsItWas) {
  os::make_directories(path("from/deep"), 0750);
  os::write_file_atomic(path("from/deep/file"), std::string(100'000, 'x'), 0640);
  fs::create_symlink("deep/file", path("from/link"));
  ASSERT_EQ(::mkfifo(path("from/fifo").c_str(), 0600), 0);
  extract(pack("from", "copy"));
  EXPECT_EQ(os::read_file(path("to/copy/deep/file")), std::string(100'000, 'x'));
  EXPECT_EQ(fs::read_symlink(path("to/copy/link")), "deep/file");
  EXPECT_TRUE(fs::is_fifo(path("to/copy/fifo")));
  struct stat before {
  }, after{};
  ASSERT_EQ(::stat(path("from/deep/file").c_str(), &before), 0);
  ASSERT_EQ(::stat(path("to/copy/deep/file").c_str(), &after), 0);
  EXPECT_EQ(before.st_mode, after.st_mode);
  EXPECT_EQ(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
}

TEST_F(TreeCopyTest, TheContentAloneGoesOntoWhatIsThere) {
  os::make_directories(path("from"), 0755);
  os::write_file_atomic(path("from/a"), "new");
  os::write_file_atomic(path("to/a"), "old");
  os::write_file_atomic(path("to/b"), "stays");
  extract(pack("from", "."));
  EXPECT_EQ(os::read_file(path("to/a")), "new");
  EXPECT_EQ(os::read_file(path("to/b")), "stays");
}

TEST_F(TreeCopyTest, NoNameLeadsOut) {
  EXPECT_THROW(extract(TarBuilder().file("../outside/x", "x").finish()), os::Error);
  EXPECT_THROW(extract(TarBuilder().file("a/../../outside/x", "x").finish()), os::Error);
  extract(TarBuilder().file("/outside/x", "x").finish());
  EXPECT_TRUE(fs::is_empty(path("outside")));
  EXPECT_EQ(os::read_file(path("to/outside/x")), "x");
}

TEST_F(TreeCopyTest, NoLinkIsGoneThroughUnlessAsked) {
  const std::string hostile = TarBuilder().symlink("way", "../outside").file("way/x", "x").finish();
  EXPECT_THROW(extract(hostile), os::Error);
  EXPECT_TRUE(fs::is_empty(path("outside")));
}

TEST_F(TreeCopyTest, FollowedLinksStayInsideTheRoot) {
  options_.follow_links = true;
  extract(TarBuilder().symlink("way", "/outside").file("way/x", "x").finish());
  EXPECT_EQ(os::read_file(path("outside/x")), "x") << "the root of the link is that of the tree";
  extract(TarBuilder().symlink("up", "../../../../../outside").file("up/y", "y").finish());
  EXPECT_EQ(os::read_file(path("outside/y")), "y");
}

TEST_F(TreeCopyTest, AFileReplacesALinkAndNotWhatItLeadsTo) {
  os::write_file_atomic(path("outside/victim"), "safe");
  extract(TarBuilder().symlink("x", "../outside/victim").file("x", "changed").finish());
  EXPECT_EQ(os::read_file(path("outside/victim")), "safe");
  EXPECT_EQ(os::read_file(path("to/x")), "changed");
  EXPECT_FALSE(fs::is_symlink(path("to/x")));
}

TEST_F(TreeCopyTest, HardLinksLeadNowhereElse) {
  os::write_file_atomic(path("outside/secret"), "secret");
  EXPECT_THROW(extract(TarBuilder().hardlink("x", "../outside/secret").finish()), os::Error);
  EXPECT_THROW(
      extract(TarBuilder().symlink("way", "../outside").hardlink("x", "way/secret").finish()),
      os::Error);
  extract(TarBuilder().file("a", "a").hardlink("b", "a").finish());
  EXPECT_EQ(os::read_file(path("to/b")), "a");
}

TEST_F(TreeCopyTest, RightsAndDevicesOnlyWhereWanted) {
  extract(TarBuilder().file("tool", "x", 04755).add({.name = "null", .type = '3'}).finish());
  struct stat status {};
  ASSERT_EQ(::stat(path("to/tool").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0755U);
  EXPECT_FALSE(os::exists(path("to/null")));
  options_.keep_special = true;
  extract(TarBuilder().file("tool", "x", 04755).finish());
  ASSERT_EQ(::stat(path("to/tool").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 04755U);
}

TEST_F(TreeCopyTest, DirectoriesAndFilesDoNotReplaceEachOther) {
  os::make_directories(path("to/d"), 0755);
  os::write_file_atomic(path("to/f"), "x");
  EXPECT_THROW(extract(TarBuilder().file("d", "x").finish()), os::Error);
  EXPECT_THROW(extract(TarBuilder().directory("f").finish()), os::Error);
}

}  // namespace
}  // namespace image
