#include "runtime/image/entry_path.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace image {
namespace {

std::string cleaned(std::string_view path) {
  const EntryPath result = clean_entry_path(path, Limits{});
  return result.parent + "|" + result.name;
}

TEST(EntryPath, Cleans) {
  EXPECT_EQ(cleaned("a"), "|a");
  EXPECT_EQ(cleaned("./a/b/"), "a|b");
  EXPECT_EQ(cleaned("/abs//x"), "abs|x");
  EXPECT_EQ(cleaned("a/./b/../c"), "a|c");
  EXPECT_EQ(cleaned("a/.."), "|");
  EXPECT_EQ(cleaned("./"), "|");
  EXPECT_EQ(cleaned("..."), "|...");
  EXPECT_EQ(cleaned("\xff\xfe"), "|\xff\xfe");
}

TEST(EntryPath, RefusesWhatLeavesOrOverflows) {
  for (const std::string& bad :
       std::vector<std::string>{"..", "../x", "a/../../x", "/..", std::string(256, 'x'),
                                std::string(5000, '/'), ".wh.a/b", "x/.wh..wh..opq/y"})
    EXPECT_THROW(clean_entry_path(bad, Limits{}), os::Error) << bad;
}

TEST(EntryPath, Whiteouts) {
  std::string target;
  EXPECT_EQ(whiteout_mark("file", target), Mark::none);
  EXPECT_EQ(whiteout_mark(".wh", target), Mark::none);
  EXPECT_EQ(whiteout_mark(".wh.file", target), Mark::whiteout);
  EXPECT_EQ(target, "file");
  EXPECT_EQ(whiteout_mark(".wh..hidden", target), Mark::whiteout);
  EXPECT_EQ(target, ".hidden");
  EXPECT_EQ(whiteout_mark(".wh..wh..opq", target), Mark::opaque);
  EXPECT_EQ(whiteout_mark(".wh..wh.plnk", target), Mark::ignored);
  for (const char* bad : {".wh.", ".wh..", ".wh..."})
    EXPECT_THROW(whiteout_mark(bad, target), os::Error) << bad;
}

}  // namespace
}  // namespace image
