#include "runtime/image/timestamp.hpp"

#include <gtest/gtest.h>

#include "runtime/image/duration.hpp"

namespace image {
namespace {

TEST(Timestamp, RoundTrip) {
  for (const char* text : {"2024-05-01T12:00:00Z", "1980-01-01T00:00:00.000000001Z",
                           "2024-02-29T23:59:59.25Z", "1969-12-31T23:59:59.5Z"}) {
    const auto time = parse_timestamp(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(format_timestamp(*time), text);
  }
}

TEST(Timestamp, OffsetsAreTakenOff) {
  EXPECT_EQ(parse_timestamp("2024-05-01T12:00:00+02:30"), parse_timestamp("2024-05-01T09:30:00Z"));
  EXPECT_EQ(parse_timestamp("2024-05-01T12:00:00-01:00"), parse_timestamp("2024-05-01T13:00:00Z"));
}

TEST(Timestamp, RefusesTheRest) {
  for (const char* text : {"", "2024", "2024-05-01", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z",
                           "2024-05-01T24:00:00Z", "2024-05-01T00:00:00", "2024-05-01T00:00:00.Z",
                           "2024-05-01T00:00:00Zx", "0001-01-01T00:00:00Z"})
    EXPECT_FALSE(parse_timestamp(text)) << text;
}

TEST(Duration, ReadsWhatGoWrites) {
  using namespace std::chrono_literals;
  for (const char* text :
       {"0s", "2ns", "1.5\xc2\xb5s", "500ms", "1.25s", "1m0s", "1m30s", "26h0m0.5s"})
    EXPECT_EQ(go_duration(*parse_go_duration(text)), text);
  EXPECT_EQ(parse_go_duration("0"), 0ns);
  EXPECT_EQ(parse_go_duration("1m30s"), 90s);
  EXPECT_EQ(parse_go_duration("1.5h"), 90min);
  EXPECT_EQ(parse_go_duration("250ms"), 250ms);
  EXPECT_EQ(parse_go_duration("3us2ns"), 3002ns);
  for (const char* text : {"", "5", "s", "-1s", "1x", "1m ", "999999999h"})
    EXPECT_FALSE(parse_go_duration(text)) << text;
}

}  // namespace
}  // namespace image
