#include "runtime/image/layer_stack.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/unit/runtime/image/layer_fixture.hpp"

namespace image {
namespace {

class LayerStackTest : public testing::Test {
 protected:
  std::string make_layer(const std::string& name) {
    const std::string path = directory_.path() + "/" + name;
    os::make_directories(path, 0755);
    return path;
  }
  void write(const std::string& layer, const std::string& name, const std::string& content) {
    os::make_directories(std::filesystem::path(layer + "/" + name).parent_path().string(), 0755);
    os::write_file_atomic(layer + "/" + name, content, 0644);
  }
  void link(const std::string& layer, const std::string& name, const std::string& target) {
    ASSERT_EQ(::symlink(target.c_str(), (layer + "/" + name).c_str()), 0);
  }
  void white_out(const std::string& layer, const std::string& name) {
    ASSERT_EQ(::mknod((layer + "/" + name).c_str(), S_IFCHR, ::makedev(0, 0)), 0);
  }
  std::optional<std::string> read(const std::string& path) {
    return LayerStack({upper_, lower_}).read_file(path, 1024);
  }

  os::TempDir directory_;
  std::string upper_ = make_layer("upper");
  std::string lower_ = make_layer("lower");
};

TEST_F(LayerStackTest, TheUpperHidesTheLower) {
  write(lower_, "etc/passwd", "lower");
  write(lower_, "etc/group", "group");
  write(upper_, "etc/passwd", "upper");
  EXPECT_EQ(read("/etc/passwd"), "upper");
  EXPECT_EQ(read("etc//group"), "group");
  EXPECT_EQ(read("/etc/shadow"), std::nullopt);
  EXPECT_EQ(read("/etc"), std::nullopt);
  EXPECT_EQ(read("/etc/passwd/x"), std::nullopt);
}

TEST_F(LayerStackTest, WhiteoutsAndOtherTypesHide) {
  write(lower_, "a", "1");
  write(lower_, "d/x", "1");
  write(lower_, "f/x", "1");
  white_out(upper_, "a");
  white_out(upper_, "d");
  write(upper_, "f", "file");
  EXPECT_EQ(read("a"), std::nullopt);
  EXPECT_EQ(read("d/x"), std::nullopt);
  EXPECT_EQ(read("f/x"), std::nullopt);
  EXPECT_EQ(read("f"), "file");
}

TEST_F(LayerStackTest, LinksAreResolvedInside) {
  write(lower_, "usr/etc/passwd", "inside");
  link(lower_, "etc", "usr/etc");
  link(upper_, "absolute", "/etc/passwd");
  link(upper_, "up", "../../../../etc/passwd");
  link(upper_, "chain", "absolute");
  write(directory_.path(), "secret", "outside");
  link(upper_, "out", directory_.path() + "/secret");
  link(upper_, "relative-out", "../secret");
  EXPECT_EQ(read("absolute"), "inside");
  EXPECT_EQ(read("up"), "inside");
  EXPECT_EQ(read("chain"), "inside");
  EXPECT_EQ(read("out"), std::nullopt);
  EXPECT_EQ(read("relative-out"), std::nullopt);
  EXPECT_EQ(read("../../secret"), std::nullopt);
}

TEST_F(LayerStackTest, LoopsAndSizesAreBounded) {
  link(lower_, "a", "b");
  link(lower_, "b", "a");
  EXPECT_THROW(read("a"), os::Error);
  write(lower_, "large", std::string(2000, 'x'));
  EXPECT_THROW(read("large"), os::Error);
}

TEST_F(LayerStackTest, SpecialFilesAreNotOpened) {
  ASSERT_EQ(::mkfifo((upper_ + "/pipe").c_str(), 0644), 0);
  EXPECT_EQ(read("pipe"), std::nullopt);
}

TEST_F(LayerStackTest, NamesAreMerged) {
  write(lower_, "d/both", "");
  write(lower_, "d/lower", "");
  write(lower_, "d/removed", "");
  write(upper_, "d/both", "");
  write(upper_, "d/upper", "");
  white_out(upper_, "d/removed");
  const LayerStack stack({upper_, lower_});
  EXPECT_EQ(LayerStack::names(*stack.resolve("d")),
            (std::vector<std::string>{"both", "lower", "upper"}));
}

TEST_F(LayerStackTest, WithoutLayersThereIsNothing) {
  EXPECT_FALSE(LayerStack({}).resolve("/"));
  EXPECT_THROW(LayerStack({directory_.path() + "/missing"}), os::Error);
}

}  // namespace
}  // namespace image
