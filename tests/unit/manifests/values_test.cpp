#include "manifests/values.hpp"

#include <gtest/gtest.h>

namespace manifests {
namespace {

template <class T>
T good(const Parsed<T>& parsed) {
  const auto* failure = std::get_if<Unreadable>(&parsed);
  EXPECT_EQ(failure, nullptr) << (failure ? failure->reason : "");
  return failure ? T{} : std::get<T>(parsed);
}

template <class T>
std::string bad(const Parsed<T>& parsed) {
  const auto* failure = std::get_if<Unreadable>(&parsed);
  EXPECT_NE(failure, nullptr);
  return failure ? failure->reason : "";
}

using namespace std::chrono_literals;

TEST(ValuesA0, BooleanInAnyCaseAndTheWordsOfYaml11) {
  EXPECT_TRUE(good(parse_boolean("TRUE")).value);
  EXPECT_FALSE(good(parse_boolean("false")).value);
  EXPECT_FALSE(good(parse_boolean("true")).yaml11);
  EXPECT_TRUE(good(parse_boolean("Yes")).value);
  EXPECT_TRUE(good(parse_boolean("on")).yaml11);
  EXPECT_FALSE(good(parse_boolean("n")).value);
  EXPECT_EQ(bad(parse_boolean("maybe")), "invalid boolean: maybe");
}

TEST(ValuesA0, BytesArePowersOf1024) {
  EXPECT_EQ(good(parse_bytes("1.5g")).value, 1610612736);
  EXPECT_EQ(good(parse_bytes("64 MB")).value, 67108864);
  EXPECT_EQ(good(parse_bytes("1kB")).value, 1024);
  EXPECT_EQ(good(parse_bytes("10KiB")).value, 10240);
  EXPECT_EQ(good(parse_bytes("512")).value, 512);
  EXPECT_EQ(good(parse_bytes("12b")).value, 12);
  EXPECT_EQ(bad(parse_bytes("-1")), "invalid size: '-1'");
  EXPECT_EQ(bad(parse_bytes("5x")), "invalid suffix: 'x'");
  EXPECT_EQ(bad(parse_bytes("x")), "invalid size: 'x'");
  EXPECT_EQ(bad(parse_bytes("-5m")), "invalid size: '-5m'");
  EXPECT_EQ(bad(parse_bytes("")), "invalid size: ''");
  EXPECT_EQ(bad(parse_bytes("99999999999p")), "invalid size: '99999999999p'");
}

TEST(ValuesA0, DurationIsPairsOfNumberAndUnit) {
  EXPECT_EQ(good(parse_duration("1m30s")), 90s);
  EXPECT_EQ(good(parse_duration("0.5s")), 500ms);
  EXPECT_EQ(good(parse_duration("1d2h")), 26h);
  EXPECT_EQ(good(parse_duration("2w")), 336h);
  EXPECT_EQ(good(parse_duration("0")), 0s);
  EXPECT_EQ(good(parse_duration("-1s")), -1s);
  EXPECT_EQ(bad(parse_duration("10")), "missing unit in duration: '10'");
  EXPECT_EQ(bad(parse_duration("1y")), "unknown unit 'y' in duration: '1y'");
  EXPECT_FALSE(bad(parse_duration("")).empty());
  EXPECT_FALSE(bad(parse_duration("s")).empty());
  EXPECT_FALSE(bad(parse_duration("99999999999w")).empty());
}

TEST(ValuesA0, DurationPrintsAsGoDoes) {
  EXPECT_EQ(duration_text(90s), "1m30s");
  EXPECT_EQ(duration_text(26h), "26h0m0s");
  EXPECT_EQ(duration_text(500ms), "500ms");
  EXPECT_EQ(duration_text(1500ms), "1.5s");
  EXPECT_EQ(duration_text(1500us), "1.5ms");
  EXPECT_EQ(duration_text(7ns), "7ns");
  EXPECT_EQ(duration_text(0s), "0s");
  EXPECT_EQ(duration_text(-90s), "-1m30s");
}

TEST(ValuesA0, FileModeTextIsOctal) {
  EXPECT_EQ(good(parse_file_mode("0440")).bits, 0440U);
  EXPECT_EQ(good(parse_file_mode("440")).bits, 0440U);
  EXPECT_EQ(good(parse_file_mode("0o440")).bits, 0440U);
  EXPECT_FALSE(bad(parse_file_mode("9")).empty());
  EXPECT_EQ(file_mode_text({0440}), "0440");
}

TEST(ValuesA0, SinglePrecisionKeepsTheShortestDigits) {
  EXPECT_EQ(single_precision(0.3), 0.3);
  EXPECT_EQ(single_precision(1.0 / 3), 0.33333334);
}

TEST(Values, IpAddress) {
  EXPECT_TRUE(is_ip_address("127.0.0.1"));
  EXPECT_TRUE(is_ip_address("::1"));
  EXPECT_FALSE(is_ip_address("localhost"));
}

}  // namespace
}  // namespace manifests
