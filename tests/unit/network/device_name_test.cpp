#include "network/device_name.hpp"

#include <gtest/gtest.h>

#include "network/link.hpp"

namespace network {
namespace {

TEST(DeviceName, IsStableShortAndDistinct) {
  const std::string name = device_name("st", "/run/stack\nshop");
  EXPECT_EQ(name, device_name("st", "/run/stack\nshop"));
  EXPECT_EQ(name.size(), 14U);
  EXPECT_NE(name, device_name("st", "/run/stack\nshoq"));
  EXPECT_EQ(device_name("br-", "n").size(), 15U);
}

TEST(DeviceName, TakesNothingThatWouldEndARule) {
  EXPECT_TRUE(is_valid_device_name("br-web_0.1"));
  for (const char* name : {"", ".", "..", "a/b", "a b", "a\"b", "a\nb", "sixteen-letters-"}) {
    EXPECT_FALSE(is_valid_device_name(name)) << name;
  }
}

TEST(Mac, ParsesSixPairs) {
  const auto mac = parse_mac("02:42:AC:1f:00:02");
  ASSERT_TRUE(mac);
  EXPECT_EQ((*mac)[2], 0xac);
  EXPECT_TRUE(parse_mac("02-42-ac-1f-00-02"));
  for (const char* text : {"", "02:42:ac:1f:00", "02:42:ac:1f:00:0g", "02:42:ac:1f:00:022"}) {
    EXPECT_FALSE(parse_mac(text)) << text;
  }
}

TEST(Mac, RandomOnesAreLocalAndUnicast) {
  const auto mac = parse_mac(random_mac());
  ASSERT_TRUE(mac);
  EXPECT_EQ((*mac)[0] & 3, 2);
}

}  // namespace
}  // namespace network
