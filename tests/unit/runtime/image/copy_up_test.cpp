#include "runtime/image/copy_up.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/runtime/image/layer_fixture.hpp"

namespace image {
namespace {

using support::TarBuilder;

class CopyUpTest : public LayerFixture {
 protected:
  void SetUp() override {
    LayerFixture::SetUp();
    unpack(TarBuilder()
               .directory("data", 0751)
               .file("data/removed", "x")
               .directory("data/sub", 01770)
               .file("data/sub/file", "content", 04750)
               .symlink("data/link", "/etc/passwd")
               .hardlink("data/hard", "data/sub/file")
               .add({.name = "data/pipe", .type = '6'})
               .file("plain", "x")
               .symlink("alias", "data")
               .finish());
    unpack(TarBuilder().file("data/.wh.removed", "").file("data/upper", "u").finish());
    os::make_directories(volumes(), 0700);
    os::make_directories(volume(), 0700);
  }
  void TearDown() override {
    EXPECT_EQ(os::list_directory(volumes()), std::vector<std::string>{"data"});
    os::remove_tree(volumes());
    LayerFixture::TearDown();
  }
  std::string volumes() const { return directory_.path() + "/layer-volumes"; }
  std::string volume() const { return volumes() + "/data"; }
  bool copy(const std::string& path) {
    return copy_up(LayerStack({layer(1), layer(0)}), path, volume());
  }
  struct stat of(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::lstat((volume() + "/" + name).c_str(), &status), 0) << name;
    return status;
  }
};

TEST_F(CopyUpTest, CopiesEverythingThatMakesAFile) {
  EXPECT_TRUE(copy("/data"));
  EXPECT_EQ(os::list_directory(volume()),
            (std::vector<std::string>{"hard", "link", "pipe", "sub", "upper"}));
  EXPECT_EQ(os::read_file(volume() + "/sub/file"), "content");
  EXPECT_EQ(of("").st_mode & 07777, 0751U);
  EXPECT_EQ(of("sub").st_mode & 07777, 01770U);
  EXPECT_EQ(of("sub/file").st_mode & 07777, 04750U);
  EXPECT_EQ(of("sub/file").st_ino, of("hard").st_ino);
  EXPECT_TRUE(S_ISLNK(of("link").st_mode));
  EXPECT_TRUE(S_ISFIFO(of("pipe").st_mode));
  for (const char* name : {"", "sub", "sub/file", "link"})
    EXPECT_EQ(of(name).st_mtim.tv_sec, 1'000'000'000) << name;
}

TEST_F(CopyUpTest, ALinkToTheDirectoryIsFollowedInTheImage) {
  EXPECT_TRUE(copy("alias/sub"));
  EXPECT_EQ(os::list_directory(volume()), std::vector<std::string>{"file"});
}

TEST_F(CopyUpTest, AVolumeWithContentStaysAsItIs) {
  os::write_file_atomic(volume() + "/mine", "1");
  EXPECT_FALSE(copy("/data"));
  EXPECT_EQ(os::list_directory(volume()), std::vector<std::string>{"mine"});
}

TEST_F(CopyUpTest, WithoutADirectoryNothingChanges) {
  EXPECT_FALSE(copy("/nowhere"));
  EXPECT_FALSE(copy("/plain"));
  EXPECT_EQ(of("").st_mode & 07777, 0700U);
}

TEST_F(CopyUpTest, MendsWhatACrashLeft) {
  // Half a copy is thrown away.
  os::make_directories(volumes() + "/.data.copy-up.partial/junk", 0700);
  EXPECT_TRUE(copy("/data/sub"));
  EXPECT_EQ(os::list_directory(volume()), std::vector<std::string>{"file"});
  // A complete one goes on moving, though the volume is no longer empty.
  os::make_directories(volumes() + "/.data.copy-up.ready", 0711);
  os::write_file_atomic(volumes() + "/.data.copy-up.ready/late", "1");
  EXPECT_TRUE(copy("/data/sub"));
  EXPECT_EQ(os::list_directory(volume()), (std::vector<std::string>{"file", "late"}));
  EXPECT_EQ(of("").st_mode & 07777, 0711U);
}

}  // namespace
}  // namespace image
