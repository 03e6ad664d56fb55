#include "runtime/os/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/os/error.hpp"

namespace os {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FileTest : public testing::Test {
 protected:
  std::string at(const std::string& name) const { return directory_.path() + "/" + name; }
  static mode_t mode_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }
  const TempDir directory_;
};

int code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return 0;
}

TEST_F(FileTest, ReplacesAFileWholeAndLeavesNothingBeside) {
  write_file_atomic(at("state"), "first, and longer");
  write_file_atomic(at("state"), "second", 0640, Durability::synced);
  EXPECT_EQ(read_file(at("state")), "second");
  EXPECT_EQ(mode_of(at("state")), 0640U);
  EXPECT_THAT(list_directory(directory_.path()), ElementsAre("state"));
}

TEST_F(FileTest, LeavesNothingBesideWhenTheReplacementFails) {
  make_directories(at("taken"));
  EXPECT_EQ(code_of([&] { write_file_atomic(at("taken"), "x"); }), EISDIR);
  EXPECT_THAT(list_directory(directory_.path()), ElementsAre("taken"));
}

TEST_F(FileTest, TellsAMissingFileFromOneThatCannotBeRead) {
  write_file_atomic(at("file"), "12345");
  EXPECT_EQ(read_file_if_exists(at("none")), std::nullopt);
  EXPECT_EQ(read_file_if_exists(at("file/below")), std::nullopt);
  EXPECT_EQ(read_file_if_exists(at("file")), "12345");
  EXPECT_EQ(code_of([&] { read_file_if_exists(at("file"), 4); }), EFBIG);
  EXPECT_EQ(code_of([&] { read_file_if_exists(directory_.path()); }), EISDIR);
  EXPECT_EQ(code_of([&] { read_file(at("none")); }), ENOENT);
}

TEST_F(FileTest, WriteToMakesNoFile) {
  EXPECT_EQ(code_of([&] { write_to(at("none"), "1"); }), ENOENT);
  EXPECT_FALSE(exists(at("none")));
}

TEST_F(FileTest, MakesDirectoriesOnTheWay) {
  make_directories(at("a/b/c"), 0700);
  EXPECT_EQ(mode_of(at("a/b/c")), 0700U);
  EXPECT_NO_THROW(make_directories(at("a/b/c")));
  write_file_atomic(at("file"), "");
  EXPECT_EQ(code_of([&] { make_directories(at("file")); }), ENOTDIR);
  EXPECT_EQ(code_of([&] { make_directories(at("file/below")); }), ENOTDIR);
}

TEST_F(FileTest, RemovesATreeWithoutFollowingLinks) {
  make_directories(at("kept"));
  write_file_atomic(at("kept/file"), "x");
  make_directories(at("tree/deep"));
  write_file_atomic(at("tree/deep/file"), "x");
  ASSERT_EQ(::symlink(at("kept").c_str(), at("tree/deep/link").c_str()), 0);
  remove_tree(at("tree"));
  EXPECT_FALSE(exists(at("tree")));
  EXPECT_TRUE(exists(at("kept/file")));
  EXPECT_NO_THROW(remove_tree(at("tree")));

  ASSERT_EQ(::symlink(at("kept").c_str(), at("link").c_str()), 0);
  remove_tree(at("link"));
  EXPECT_FALSE(exists(at("link")));
  EXPECT_TRUE(exists(at("kept/file")));
}

TEST_F(FileTest, ListsSortedNames) {
  for (const char* name : {"b", ".hidden", "a"}) write_file_atomic(at(name), "");
  EXPECT_THAT(list_directory(directory_.path()), ElementsAre(".hidden", "a", "b"));
  EXPECT_THAT(list_directory(at("none")), IsEmpty());
}

TEST_F(FileTest, ADanglingLinkExists) {
  ASSERT_EQ(::symlink("nowhere", at("link").c_str()), 0);
  EXPECT_TRUE(exists(at("link")));
}

TEST_F(FileTest, ALockShutsOutOthersUntilItGoes) {
  {
    const FileLock held = FileLock::acquire(at("lock"));
    EXPECT_FALSE(FileLock::try_acquire(at("lock")));
  }
  {
    const FileLock one = FileLock::acquire_shared(at("lock"));
    const FileLock other = FileLock::acquire_shared(at("lock"));
    EXPECT_FALSE(FileLock::try_acquire(at("lock")));
  }
  EXPECT_TRUE(FileLock::try_acquire(at("lock")));
}

TEST_F(FileTest, ALockIsOnTheFileThatIsAtThePath) {
  const FileLock old = FileLock::acquire(at("lock"));
  ASSERT_EQ(::unlink(at("lock").c_str()), 0);
  EXPECT_TRUE(FileLock::try_acquire(at("lock"))) << "the removed file's lock shuts nobody out";
  EXPECT_TRUE(exists(at("lock")));
}

TEST_F(FileTest, ATemporaryDirectoryGoesWithItsContentUnlessReleased) {
  std::string gone;
  std::string kept;
  {
    const TempDir first(directory_.path(), "t-");
    gone = first.path();
    write_file_atomic(gone + "/file", "x");
    TempDir second(directory_.path());
    kept = second.release();
  }
  EXPECT_FALSE(exists(gone));
  EXPECT_TRUE(exists(kept));
}

}  // namespace
}  // namespace os
