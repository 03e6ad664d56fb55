#include "network/network_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace network {
namespace {

using ::testing::HasSubstr;

PlanContext context() {
  return {.project = "p",
          .host = {},
          .unique_local = Subnet::parse("fd01::/48").value(),
          .default_mtu = 1400};
}

std::string failure_of(const NetworkSpec& spec, const std::vector<NetworkRecord>& existing = {}) {
  try {
    plan_networks({spec}, existing, context());
  } catch (const os::Error& error) {
    return error.what();
  }
  return "";
}

TEST(NetworkPlan, ChoosesSubnetsAroundThoseAskedFor) {
  const std::vector<NetworkRecord> networks = plan_networks(
      {{.name = "auto"}, {.name = "own", .pools = {{.subnet = "172.18.0.0/24"}}, .mtu = 9000}}, {},
      context());
  EXPECT_EQ(networks.at(0).subnet4->to_string(), "172.19.0.0/16");
  EXPECT_EQ(networks.at(0).gateway4->to_string(), "172.19.0.1");
  EXPECT_EQ(networks.at(0).mtu, 1400);
  EXPECT_FALSE(networks.at(0).subnet6);
  EXPECT_EQ(networks.at(1).subnet4->to_string(), "172.18.0.0/24");
  EXPECT_EQ(networks.at(1).mtu, 9000);
  EXPECT_LE(networks.at(0).bridge.size(), 15U);
  EXPECT_NE(networks.at(0).bridge, networks.at(1).bridge);
}

TEST(NetworkPlan, DualStackNetworksGetAUniqueLocalSubnet) {
  const NetworkRecord network =
      plan_networks({{.name = "n", .enable_ipv6 = true}}, {}, context()).at(0);
  EXPECT_EQ(network.subnet6->to_string(), "fd01:0:0:1::/64");
  EXPECT_EQ(network.gateway6->to_string(), "fd01:0:0:1::1");
}

TEST(NetworkPlan, SubnetOfTheHostIsUsedButNotRouted) {
  PlanContext busy = context();
  busy.host.avoided = {Subnet::parse("10.0.0.0/8").value()};
  const NetworkRecord network =
      plan_networks({{.name = "n", .pools = {{.subnet = "10.1.0.0/16"}}}}, {}, busy).at(0);
  EXPECT_FALSE(network.route4);
  EXPECT_TRUE(plan_networks({{.name = "n"}}, {}, busy).at(0).route4);
}

TEST(NetworkPlan, MistakesAreNamed) {
  const auto pool = [](Pool each) { return NetworkSpec{.name = "n", .pools = {std::move(each)}}; };
  EXPECT_EQ(failure_of(pool({.subnet = "10.0.0/24"})), "network 'n': invalid subnet '10.0.0/24'");
  EXPECT_THAT(failure_of(pool({.subnet = "10.0.0.0/24", .gateway = "10.0.1.1"})),
              HasSubstr("gateway 10.0.1.1 is not in subnet 10.0.0.0/24"));
  EXPECT_THAT(failure_of(pool({.subnet = "10.0.0.0/24", .ip_range = "10.0.1.0/25"})),
              HasSubstr("ip_range 10.0.1.0/25 is not in subnet"));
  EXPECT_THAT(failure_of(pool({.subnet = "10.0.0.0/32"})), HasSubstr("too small"));
  EXPECT_THAT(failure_of({.name = "n", .mtu = 20}), HasSubstr("invalid MTU 20"));
  EXPECT_THAT(failure_of({.name = "n", .bridge_name = "br\"; drop"}),
              HasSubstr("invalid bridge name"));
  EXPECT_THAT(
      failure_of({.name = "n", .pools = {{.subnet = "10.0.0.0/24"}, {.subnet = "10.1.0.0/24"}}}),
      HasSubstr("more than one subnet of a family"));
}

TEST(NetworkPlan, OverlapWithAnotherNetworkIsRefused) {
  const std::vector<NetworkRecord> existing =
      plan_networks({{.name = "a", .pools = {{.subnet = "10.0.0.0/16"}}}}, {}, context());
  EXPECT_EQ(failure_of({.name = "n", .pools = {{.subnet = "10.0.5.0/24"}}}, existing),
            "network 'n': Pool overlaps with other one on this address space: 10.0.5.0/24 and "
            "10.0.0.0/16");
}

TEST(HostSpace, WideRoutesDoNotCount) {
  const auto route = [](const char* text, bool on_link, int interface = 1) {
    return Route{
        .destination = Subnet::parse(text).value(), .interface = interface, .on_link = on_link};
  };
  const HostSpace space =
      host_space({route("0.0.0.0/1", false), route("10.0.0.0/8", false),
                  route("192.168.1.0/24", true), route("172.18.0.0/16", false, 9)},
                 name_servers_in("# comment\nnameserver 10.53.0.1\nnameserver fe80::1%eth0\n"), 9);
  EXPECT_EQ(space.avoided.size(), 4U);
  EXPECT_EQ(space.occupied.size(), 3U);
  EXPECT_EQ(space.occupied.front().to_string(), "192.168.1.0/24");
}

}  // namespace
}  // namespace network
