#include "runtime/image/retry.hpp"

#include <gtest/gtest.h>

namespace image {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RetryTest, OnlyWhatMayPass) {
  for (const int status : {0, 408, 429, 500, 502, 503, 504}) EXPECT_TRUE(is_retryable(status));
  for (const int status : {200, 400, 401, 403, 404, 416, 501}) EXPECT_FALSE(is_retryable(status));
}

TEST(RetryTest, PausesGrowAndAreBounded) {
  EXPECT_EQ(retry_delay(1, {}, 1), milliseconds(500));
  EXPECT_EQ(retry_delay(1, {}, 0), milliseconds(250));
  EXPECT_EQ(retry_delay(3, {}, 1), milliseconds(2000));
  EXPECT_EQ(retry_delay(100, {}, 1), kMaxDelay);
  EXPECT_EQ(retry_delay(1, seconds(7), 0), milliseconds(7000));
  EXPECT_EQ(retry_delay(1, seconds(100'000'000), 0), kMaxDelay);
}

TEST(RetryTest, ReadsRetryAfter) {
  const auto now = std::chrono::system_clock::from_time_t(784'111'777);  // RFC 9110's own date
  EXPECT_EQ(parse_retry_after("120", now), seconds(120));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now), seconds(10));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), seconds(0));
  EXPECT_EQ(parse_retry_after("99999999999999999999999", now), seconds(60));
  EXPECT_FALSE(parse_retry_after("soon", now));
  EXPECT_FALSE(parse_retry_after("", now));
  EXPECT_FALSE(parse_retry_after("-5", now));
}

}  // namespace
}  // namespace image
