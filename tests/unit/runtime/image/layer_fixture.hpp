// A place to unpack hostile layers in, with a canary outside that must not change.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "runtime/image/layer.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "tests/support/tar_builder.hpp"

namespace image {

/// The whole of `bytes` as a stream in pieces of `step`.
inline ByteSource source_of(std::string bytes, std::size_t step = 4096) {
  auto data = std::make_shared<std::string>(std::move(bytes));
  return [data, step, offset = std::size_t{0}]() mutable -> std::string_view {
    const std::string_view piece =
        std::string_view(*data).substr(std::min(offset, data->size()), step);
    offset += piece.size();
    return piece;
  };
}

class LayerFixture : public testing::Test {
 protected:
  void SetUp() override {
    os::make_directories(outside(), 0755);
    os::write_file_atomic(canary(), "alive", 0644);
  }

  /// Whatever a test unpacked, nothing outside has changed.
  void TearDown() override {
    EXPECT_EQ(os::list_directory(outside()), std::vector<std::string>{"canary"});
    EXPECT_EQ(os::read_file(canary()), "alive");
    struct stat status {};
    ASSERT_EQ(::stat(canary().c_str(), &status), 0);
    EXPECT_EQ(status.st_nlink, 1U);
    EXPECT_EQ(status.st_mode & 07777, 0644U);
    for (const std::string& name : os::list_directory(directory_.path()))
      EXPECT_TRUE(name == "outside" || name.starts_with("layer")) << name;
  }

  std::string outside() const { return directory_.path() + "/outside"; }
  std::string canary() const { return outside() + "/canary"; }
  std::string layer(int number) const {
    return directory_.path() + "/layer" + std::to_string(number);
  }
  std::string path(const std::string& name) const { return layer(layers_ - 1) + "/" + name; }

  /// Unpacks one more layer above those before.
  LayerSummary unpack(const std::string& tar, const Limits& limits = {}) {
    std::vector<std::string> below;
    for (int i = layers_ - 1; i >= 0; --i) below.push_back(layer(i));
    os::make_directories(layer(layers_++), 0700);
    const os::UniqueFd fd = os::open_file(layer(layers_ - 1), O_RDONLY | O_DIRECTORY);
    return unpack_layer(fd.get(), LayerStack(below), source_of(tar), limits);
  }

  void expect_refused(const support::TarBuilder& tar, const std::string& why,
                      const Limits& limits = {}) {
    try {
      unpack(tar.finish(), limits);
      ADD_FAILURE() << "unpacked, where this was expected: " << why;
    } catch (const os::Error& error) {
      EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    }
  }

  struct stat status_of(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::lstat(path(name).c_str(), &status), 0) << name;
    return status;
  }
  bool missing(const std::string& name) const { return !os::exists(path(name)); }
  std::string content(const std::string& name) const { return os::read_file(path(name)); }

  /// What the merged tree shows.
  std::optional<std::string> merged(const std::string& name) const {
    std::vector<std::string> directories;
    for (int i = layers_ - 1; i >= 0; --i) directories.push_back(layer(i));
    return LayerStack(directories).read_file(name, 1 << 20);
  }

  os::TempDir directory_;
  int layers_ = 0;
};

}  // namespace image
