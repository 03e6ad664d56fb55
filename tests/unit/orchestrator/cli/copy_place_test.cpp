#include "orchestrator/cli/copy_place.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace cli {
namespace {

TEST(CopyEndTest, KnowsServicesFromPaths) {
  EXPECT_EQ(parse_copy_end("web:/etc").service, "web");
  EXPECT_EQ(parse_copy_end("web:/etc").path, "/etc");
  EXPECT_EQ(parse_copy_end("web:etc").path, "etc");
  for (const char* host : {"/a:b", "./a:b", "../a:b", "a/b:c", "file", ":x"}) {
    EXPECT_EQ(parse_copy_end(host).service, "") << host;
    EXPECT_EQ(parse_copy_end(host).path, host);
  }
  EXPECT_TRUE(parse_copy_end("-").is_stream());
}

/// A root with the file /f, the directory /d and the link /l to it.
class CopyPlaceTest : public testing::Test {
 protected:
  CopyPlaceTest() : root_(os::open_file(place_.path(), O_PATH | O_DIRECTORY)) {
    os::make_directories(place_.path() + "/d", 0755);
    os::write_file_atomic(place_.path() + "/f", "x");
    std::filesystem::create_symlink("/d", place_.path() + "/l");
  }
  std::string target(const std::string& path, bool directory, bool content = false) {
    const CopyTarget chosen = choose_copy_target(root_.get(), path, "src", directory, content);
    return chosen.directory + " " + chosen.name;
  }
  os::TempDir place_;
  os::UniqueFd root_;
};

// The rules of `docker cp`.
TEST_F(CopyPlaceTest, WhereItGoes) {
  EXPECT_EQ(target("/new", false), "/ new");
  EXPECT_EQ(target("/new", true), "/ new");
  EXPECT_EQ(target("/new/", true), "/ new");
  EXPECT_THROW(target("/new/", false), os::Error);
  EXPECT_THROW(target("/not/there", false), os::Error);
  EXPECT_EQ(target("/f", false), "/ f");
  EXPECT_THROW(target("/f", true), os::Error);
  EXPECT_EQ(target("/d", false), "/d src");
  EXPECT_EQ(target("d/.", true), "/d src");
  EXPECT_EQ(target("/d", true, true), "/d .");
  EXPECT_EQ(target("/l", false), "/l src") << "the link is resolved inside the root";
  EXPECT_EQ(target("/../../d", false), "/d src");
}

TEST_F(CopyPlaceTest, WhatIsCopied) {
  EXPECT_TRUE(open_copy_source(root_.get(), "/d/.", false).content_only);
  EXPECT_TRUE(open_copy_source(root_.get(), "/", false).content_only);
  EXPECT_FALSE(open_copy_source(root_.get(), "/l", false).is_directory);
  EXPECT_TRUE(open_copy_source(root_.get(), "/l", true).is_directory);
  EXPECT_TRUE(open_copy_source(root_.get(), "/l/", false).is_directory);
  EXPECT_EQ(open_copy_source(root_.get(), "d/", false).name, "d");
  EXPECT_THROW(open_copy_source(root_.get(), "/f/", false), os::Error);
  EXPECT_THROW(open_copy_source(root_.get(), "/nothing", false), os::Error);
}

}  // namespace
}  // namespace cli
