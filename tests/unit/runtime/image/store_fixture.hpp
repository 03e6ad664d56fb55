// A store in a temporary directory, and streams to feed it.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "runtime/image/store.hpp"
#include "runtime/os/error.hpp"
#include "tests/support/tar_builder.hpp"
#include "tests/unit/runtime/image/compress.hpp"

namespace image {

class StoreFixture : public testing::Test {
 protected:
  std::string root() const { return directory_.path() + "/images"; }

  /// A file with this content, open at its beginning.
  os::UniqueFd stream(const std::string& bytes) {
    const std::string path = directory_.path() + "/stream";
    ::unlink(path.c_str());
    os::write_file_atomic(path, bytes);
    return os::open_file(path, O_RDONLY);
  }
  Image import(const std::string& tar, const std::string& name, const ImportOptions& options = {}) {
    return store_.import_tar(stream(tar).get(), name, options);
  }
  static std::string tar_of(const std::string& name, const std::string& content) {
    return support::TarBuilder().file(name, content).finish();
  }
  std::vector<std::string> blobs() const { return os::list_directory(root() + "/blobs/sha256"); }
  std::vector<std::string> layers() const { return os::list_directory(root() + "/layers"); }
  std::vector<std::string> temporary() const { return os::list_directory(root() + "/tmp"); }

  /// Every blob's name is its digest, and nothing half made lies about.
  void expect_sound() const {
    for (const std::string& name : blobs())
      EXPECT_EQ(Digest::of(os::read_file(root() + "/blobs/sha256/" + name)).hex(), name);
    EXPECT_TRUE(temporary().empty());
  }

  os::TempDir directory_;
  Store store_{root()};
};

}  // namespace image
