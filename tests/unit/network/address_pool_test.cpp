#include "network/address_pool.hpp"

#include <gtest/gtest.h>

namespace network {
namespace {

Subnet subnet(const char* text) { return Subnet::parse(text).value(); }
IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

TEST(AddressPool, BridgeSubnetsComeInDockersOrder) {
  const std::vector<Subnet> candidates = bridge_candidates();
  ASSERT_EQ(candidates.size(), 30U);
  EXPECT_EQ(candidates.front().to_string(), "172.18.0.0/16");
  EXPECT_EQ(candidates[13].to_string(), "172.31.0.0/16");
  EXPECT_EQ(candidates[14].to_string(), "192.168.0.0/20");
  EXPECT_EQ(candidates.back().to_string(), "192.168.240.0/20");
}

TEST(AddressPool, BridgeSubnetAvoidsOwnAndHostSubnets) {
  EXPECT_EQ(choose_bridge_subnet({subnet("172.18.5.0/24")}, {}, {subnet("172.19.0.0/16")}),
            subnet("172.20.0.0/16"));
}

TEST(AddressPool, BridgeSubnetSharesRoutedSpaceOnlyWhenAllIsTaken) {
  const std::vector<Subnet> everything{subnet("172.16.0.0/12"), subnet("192.168.0.0/16")};
  EXPECT_EQ(choose_bridge_subnet({}, {subnet("172.18.0.0/15")}, everything),
            subnet("172.20.0.0/16"));
  EXPECT_FALSE(choose_bridge_subnet({}, everything, everything));
}

TEST(AddressPool, UplinkTakesTheFirstFreeQuarterOfTheSharedRange) {
  EXPECT_EQ(choose_uplink_subnet({}), subnet("100.64.0.0/30"));
  EXPECT_EQ(choose_uplink_subnet({subnet("100.64.0.0/30"), subnet("100.64.0.5/32")}),
            subnet("100.64.0.8/30"));
  EXPECT_EQ(choose_uplink_subnet({subnet("100.64.0.0/10")}), subnet("10.213.0.0/30"));
}

TEST(AddressPool, UniqueLocalPrefixIsStableAndLocal) {
  const Subnet prefix = unique_local_prefix("a project");
  EXPECT_EQ(prefix, unique_local_prefix("a project"));
  EXPECT_NE(prefix, unique_local_prefix("another"));
  EXPECT_TRUE(subnet("fd00::/8").contains(prefix));
  EXPECT_EQ(prefix.prefix(), 48);
  const std::optional<Subnet> first = choose_unique_local_subnet(prefix, {});
  ASSERT_TRUE(first);
  EXPECT_EQ(first, prefix.child(64, 1));
  EXPECT_EQ(choose_unique_local_subnet(prefix, {*first}), prefix.child(64, 2));
}

TEST(AddressRange, HandsOutTheLowestFreeAddress) {
  const AddressRange range{.subnet = subnet("10.0.0.0/29"),
                           .range = subnet("10.0.0.0/29"),
                           .reserved = {ip("10.0.0.1"), ip("10.0.0.3")}};
  EXPECT_EQ(range.lowest_free({}), ip("10.0.0.2"));
  EXPECT_EQ(range.lowest_free({ip("10.0.0.2")}), ip("10.0.0.4"));
  EXPECT_FALSE(range.lowest_free({ip("10.0.0.2"), ip("10.0.0.4"), ip("10.0.0.5"), ip("10.0.0.6")}));
  EXPECT_FALSE(range.is_usable(ip("10.0.0.0")));
  EXPECT_FALSE(range.is_usable(ip("10.0.0.7"))) << "broadcast";
  EXPECT_FALSE(range.is_usable(ip("10.0.1.2")));
}

TEST(AddressRange, StaysInsideItsRange) {
  const AddressRange range{.subnet = subnet("10.0.0.0/16"),
                           .range = subnet("10.0.5.0/31"),
                           .reserved = {ip("10.0.0.1")}};
  EXPECT_EQ(range.lowest_free({}), ip("10.0.5.0"));
  EXPECT_EQ(range.lowest_free({ip("10.0.5.0")}), ip("10.0.5.1"));
  EXPECT_FALSE(range.lowest_free({ip("10.0.5.0"), ip("10.0.5.1")}));
}

TEST(AddressRange, IPv6KeepsItsLastAddress) {
  const AddressRange range{
      .subnet = subnet("fd00::/126"), .range = subnet("fd00::/126"), .reserved = {ip("fd00::1")}};
  EXPECT_EQ(range.lowest_free({ip("fd00::2")}), ip("fd00::3"));
}

}  // namespace
}  // namespace network
