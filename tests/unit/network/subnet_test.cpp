#include "network/subnet.hpp"

#include <gtest/gtest.h>

namespace network {
namespace {

Subnet subnet(const char* text) { return Subnet::parse(text).value(); }

TEST(IpAddress, ParsesAddressesAlone) {
  EXPECT_EQ(IpAddress::parse("192.0.2.7")->to_string(), "192.0.2.7");
  EXPECT_EQ(IpAddress::parse("FD00:0:0::7")->to_string(), "fd00::7");
  for (const char* text :
       {"", "192.0.2", "192.0.2.256", "fd00::1%eth0", "1.2.3.4/8", "localhost"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, AddsAcrossBytes) {
  EXPECT_EQ(IpAddress::parse("10.0.0.255")->plus(1).to_string(), "10.0.1.0");
  EXPECT_EQ(IpAddress::parse("10.0.0.0")->plus(0x10203).to_string(), "10.1.2.3");
  EXPECT_EQ(IpAddress::parse("fd00::ffff")->plus(1).to_string(), "fd00::1:0");
}

TEST(IpAddress, WritesPorts) {
  EXPECT_EQ(IpAddress::parse("10.0.0.2")->with_port(80), "10.0.0.2:80");
  EXPECT_EQ(IpAddress::parse("::1")->with_port(80), "[::1]:80");
}

TEST(Subnet, ClearsHostBits) {
  EXPECT_EQ(subnet("10.1.2.3/20").to_string(), "10.1.0.0/20");
  EXPECT_EQ(subnet("fd00::1/64").to_string(), "fd00::/64");
  EXPECT_EQ(subnet("10.1.2.3/0").to_string(), "0.0.0.0/0");
}

TEST(Subnet, RefusesWhatIsNone) {
  for (const char* text : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "fd00::/129",
                           "10.0.0.0/8x", "/8", "10.0.0/8"}) {
    EXPECT_FALSE(Subnet::parse(text)) << text;
  }
}

TEST(Subnet, KnowsWhatOverlaps) {
  EXPECT_TRUE(subnet("10.0.0.0/8").overlaps(subnet("10.9.0.0/16")));
  EXPECT_TRUE(subnet("10.9.0.0/16").overlaps(subnet("10.0.0.0/8")));
  EXPECT_FALSE(subnet("10.8.0.0/16").overlaps(subnet("10.9.0.0/16")));
  EXPECT_FALSE(subnet("::/0").overlaps(subnet("10.9.0.0/16")));
}

TEST(Subnet, CountsItsChildren) {
  EXPECT_EQ(subnet("172.16.0.0/12").child(16, 15)->to_string(), "172.31.0.0/16");
  EXPECT_FALSE(subnet("172.16.0.0/12").child(16, 16));
  EXPECT_EQ(subnet("fd00:1:2::/48").child(64, 3)->to_string(), "fd00:1:2:3::/64");
  EXPECT_EQ(subnet("fd00::/32").child(48, 3)->to_string(), "fd00:0:3::/48");
  EXPECT_FALSE(subnet("10.0.0.0/24").child(16, 0));
}

TEST(Subnet, KnowsItsLastAddress) {
  EXPECT_EQ(subnet("10.0.4.0/22").last().to_string(), "10.0.7.255");
}

}  // namespace
}  // namespace network
