#include "orchestrator/cli/time_text.hpp"

#include <gtest/gtest.h>

namespace cli {
namespace {

using namespace std::chrono_literals;

TEST(TimeText, SpeaksDockersWords) {
  EXPECT_EQ(duration_text(500ms), "Less than a second");
  EXPECT_EQ(duration_text(-5s), "Less than a second");
  EXPECT_EQ(duration_text(1s), "1 second");
  EXPECT_EQ(duration_text(59s), "59 seconds");
  EXPECT_EQ(duration_text(119s), "About a minute");
  EXPECT_EQ(duration_text(2min), "2 minutes");
  EXPECT_EQ(duration_text(60min), "About an hour");
  EXPECT_EQ(duration_text(100min), "2 hours");
  EXPECT_EQ(duration_text(47h), "47 hours");
  EXPECT_EQ(duration_text(72h), "3 days");
  EXPECT_EQ(duration_text(24h * 21), "3 weeks");
  EXPECT_EQ(duration_text(24h * 90), "3 months");
  EXPECT_EQ(duration_text(24h * 365 * 3), "3 years");
}

TEST(TimeText, ReadsTimesInEveryForm) {
  const Time now = Time(std::chrono::seconds(1'800'000'000));
  EXPECT_EQ(parse_time("2026-01-31T09:30:00Z", now), Time(std::chrono::seconds(1'769'851'800)));
  EXPECT_EQ(parse_time("2026-01-31T10:30:00+01:00", now),
            Time(std::chrono::seconds(1'769'851'800)));
  EXPECT_EQ(parse_time("2026-01-31", now), Time(std::chrono::seconds(1'769'817'600)));
  EXPECT_EQ(parse_time("2026-01-31T09:30:00", now), Time(std::chrono::seconds(1'769'851'800)));
  EXPECT_EQ(parse_time("42m", now), now - 42min);
  EXPECT_EQ(parse_time("1h30m", now), now - 90min);
  EXPECT_EQ(parse_time("1700000000.5", now), Time(1'700'000'000'500ms));
  EXPECT_FALSE(parse_time("yesterday", now));
  EXPECT_FALSE(parse_time("", now));
  EXPECT_FALSE(parse_time("1e300", now));
}

TEST(TimeText, PrintsUtc) {
  EXPECT_EQ(utc_text(time_of("2026-01-31T10:30:00.5+01:00")), "2026-01-31 09:30:00 +0000 UTC");
  EXPECT_EQ(time_of("nonsense"), Time{});
}

}  // namespace
}  // namespace cli
