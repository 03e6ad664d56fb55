#include "runtime/image/platform.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace image {
namespace {

TEST(Platform, NormalForms) {
  EXPECT_EQ(parse_platform("linux/x86_64").text(), "linux/amd64");
  EXPECT_EQ(parse_platform("Linux/aarch64").text(), "linux/arm64");
  EXPECT_EQ(parse_platform("linux/arm64/v8").text(), "linux/arm64");
  EXPECT_EQ(parse_platform("linux/arm").text(), "linux/arm/v7");
  EXPECT_EQ(parse_platform("linux/armel").text(), "linux/arm/v6");
  EXPECT_EQ(parse_platform("linux/amd64/v1").text(), "linux/amd64");
  EXPECT_EQ(parse_platform("linux/amd64/v3").text(), "linux/amd64/v3");
  for (const char* bad : {"", "linux", "linux/", "/amd64", "a/b/c/d"})
    EXPECT_THROW(parse_platform(bad), os::Error) << bad;
}

TEST(Platform, RanksByPreference) {
  const auto rank = [](const char* candidate, const char* host) {
    return platform_rank(parse_platform(candidate), parse_platform(host));
  };
  EXPECT_EQ(rank("linux/amd64", "linux/amd64"), 0U);
  EXPECT_LT(rank("linux/amd64/v2", "linux/amd64/v3"), rank("linux/amd64", "linux/amd64/v3"));
  EXPECT_LT(rank("linux/amd64", "linux/amd64"), rank("linux/386", "linux/amd64"));
  EXPECT_LT(rank("linux/arm/v7", "linux/arm64"), rank("linux/arm/v6", "linux/arm64"));
  EXPECT_FALSE(rank("linux/amd64/v2", "linux/amd64"));
  EXPECT_FALSE(rank("linux/arm64", "linux/amd64"));
  EXPECT_FALSE(rank("windows/amd64", "linux/amd64"));
}

}  // namespace
}  // namespace image
