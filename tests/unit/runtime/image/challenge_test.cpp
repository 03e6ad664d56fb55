#include "runtime/image/challenge.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace image {
namespace {

TEST(ChallengeTest, ReadsBearer) {
  const auto found = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",)"
      R"(scope="repository:library/nginx:pull,push")");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].scheme, "bearer");
  EXPECT_EQ(found[0].at("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(found[0].at("scope"), "repository:library/nginx:pull,push");
  EXPECT_EQ(found[0].at("error"), "");
}

TEST(ChallengeTest, ReadsSeveralInOneHeader) {
  const auto found =
      parse_challenges(R"(Basic realm="a, \"b\"", Negotiate, BEARER realm=x , y = z)");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].at("realm"), "a, \"b\"");
  EXPECT_EQ(found[1].scheme, "negotiate");
  EXPECT_EQ(found[2].scheme, "bearer");
  EXPECT_EQ(found[2].at("y"), "z");
}

TEST(ChallengeTest, WhatIsMalformedHarmsNobody) {
  for (const char* text :
       {"", "=", "\"", "Bearer realm=\"open", ",,,", "a=b", "\x01\x02", "Bearer realm=\"x\\"})
    EXPECT_NO_THROW(parse_challenges(text)) << text;
  EXPECT_TRUE(parse_challenges("realm=\"of nobody\"").empty());
}

TEST(TokenTest, TakesEitherNameAndALifetime) {
  EXPECT_EQ(parse_token(R"({"token":"t","expires_in":300})").value, "t");
  EXPECT_EQ(parse_token(R"({"token":"t","expires_in":300})").lifetime.count(), 300);
  EXPECT_EQ(parse_token(R"({"access_token":"a"})").value, "a");
  EXPECT_EQ(parse_token(R"({"access_token":"a"})").lifetime.count(), 60);
}

TEST(TokenTest, RefusesWhatWouldBreakAHeader) {
  for (const char* bad :
       {"", "[]", "{}", R"({"token":""})", R"({"token":"a\r\nX: y"})", R"({"token":1})"})
    EXPECT_THROW(parse_token(bad), os::Error) << bad;
}

}  // namespace
}  // namespace image
