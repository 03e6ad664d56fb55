#include "network/network.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>

#include "network/nftables.hpp"
#include "network/sysctl.hpp"
#include "runtime/os/error.hpp"
#include "tests/kernel/network/synthetic_host.hpp"

namespace network {
namespace {

using ::network::testing::devices_in;
using ::network::testing::kHere;
using ::network::testing::listen_in;
using ::network::testing::make_namespace;
using ::network::testing::reach;
using ::network::testing::send_datagram;
using ::network::testing::SyntheticHost;
using ::network::testing::udp_in;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

NetworkSpec spec(const std::string& name) { return {.name = name}; }

EndpointSpec on(const std::string& network, bool default_route = true) {
  return {.network = network, .default_route = default_route};
}

/// An endpoint with a namespace of its own that listens on TCP port 80 of every address.
struct Endpoint {
  os::UniqueFd netns = make_namespace();
  Address address;
  os::UniqueFd http;

  Endpoint(Network& network, const std::string& owner, const std::vector<EndpointSpec>& specs) {
    address = network.lease(owner, specs).front();
    network.attach(owner, netns.get(), specs);
    http = listen_in(netns.get(), "::", 80);
  }
};

/// An IPv4 client of a socket that listens on "::".
std::string mapped(const std::string& address) { return "::ffff:" + address; }

class NetworkTest : public ::testing::Test {
 protected:
  SyntheticHost host_;
  Network network_{host_.run_dir(), "shop"};
};

TEST_F(NetworkTest, EndpointsOfOneNetworkReachEachOtherAndOthersDoNot) {
  network_.ensure({spec("front"), spec("back")});
  Endpoint a(network_, "a", {on("front")});
  Endpoint b(network_, "b", {on("front")});
  Endpoint c(network_, "c", {on("back")});
  EXPECT_EQ(a.address.ipv4, "172.18.0.2");
  EXPECT_EQ(b.address.ipv4, "172.18.0.3");
  EXPECT_EQ(c.address.ipv4, "172.19.0.2");
  EXPECT_EQ(reach(a.netns.get(), b.address.ipv4, 80, b.http.get()), mapped(a.address.ipv4));
  EXPECT_FALSE(reach(a.netns.get(), c.address.ipv4, 80, c.http.get()));
}

TEST_F(NetworkTest, HostReachesEndpointsByAddressAndOutsideDoesNot) {
  NetworkSpec closed = spec("closed");
  closed.internal = true;
  network_.ensure({spec("front"), closed});
  Endpoint a(network_, "a", {on("front")});
  Endpoint b(network_, "b", {on("closed")});
  EXPECT_EQ(reach(kHere, a.address.ipv4, 80, a.http.get()), mapped("172.18.0.1"));
  EXPECT_EQ(reach(kHere, b.address.ipv4, 80, b.http.get()), mapped("172.19.0.1"));
  EXPECT_FALSE(reach(host_.outside(), a.address.ipv4, 80, a.http.get()));
}

TEST_F(NetworkTest, OutboundTakesTheAddressOfTheHostUnlessInternal) {
  NetworkSpec closed = spec("closed");
  closed.internal = true;
  network_.ensure({spec("front"), closed});
  Endpoint a(network_, "a", {on("front")});
  Endpoint b(network_, "b", {on("closed")});
  const os::UniqueFd web = listen_in(host_.outside(), "0.0.0.0", 8000);
  const os::UniqueFd local = listen_in(kHere, "0.0.0.0", 8001);
  EXPECT_EQ(reach(a.netns.get(), "192.0.2.9", 8000, web.get()), "192.0.2.2");
  EXPECT_FALSE(reach(b.netns.get(), "192.0.2.9", 8000, web.get()));
  EXPECT_TRUE(reach(a.netns.get(), network_.host_gateway(), 8001, local.get()));
  EXPECT_TRUE(reach(a.netns.get(), a.address.gateway4, 8001, local.get()));
  EXPECT_FALSE(reach(b.netns.get(), b.address.gateway4, 8001, local.get()));
}

TEST_F(NetworkTest, PublishedPortsLeadToTheEndpointFromEverywhere) {
  network_.ensure({spec("front"), spec("back")});
  Endpoint a(network_, "a", {on("front")});
  Endpoint b(network_, "b", {on("front")});
  Endpoint c(network_, "c", {on("back")});
  const Published published = network_.publish("a", {{.published_first = 8080, .target = 80}});
  ASSERT_EQ(published.ports.size(), 2U);
  EXPECT_EQ(reach(host_.outside(), "192.0.2.2", 8080, a.http.get()), mapped("192.0.2.9"));
  EXPECT_EQ(reach(kHere, "127.0.0.1", 8080, a.http.get()), mapped("172.18.0.1"));
  EXPECT_EQ(reach(kHere, "192.0.2.2", 8080, a.http.get()), mapped("172.18.0.1"));
  EXPECT_TRUE(reach(a.netns.get(), "192.0.2.2", 8080, a.http.get())) << "hairpin";
  EXPECT_TRUE(reach(b.netns.get(), "192.0.2.2", 8080, a.http.get()));
  EXPECT_TRUE(reach(c.netns.get(), "192.0.2.2", 8080, a.http.get())) << "other network";
  EXPECT_TRUE(reach(c.netns.get(), c.address.gateway4, 8080, a.http.get())) << "by its gateway";
  EXPECT_FALSE(reach(host_.outside(), "100.64.0.2", 8080, a.http.get())) << "by the uplink";

  network_.unpublish("a");
  EXPECT_FALSE(reach(host_.outside(), "192.0.2.2", 8080, a.http.get()));
  EXPECT_TRUE(network_.published("a").empty());
}

TEST_F(NetworkTest, ProgramsInsideTheStackReachPublishedPortsAtLocalhost) {
  network_.ensure({spec("front")});
  Endpoint a(network_, "a", {on("front")});
  const Published published = network_.publish("a", {{.published_first = 5432, .target = 80}});
  EXPECT_TRUE(reach(network_.netns_fd(), "127.0.0.1", 5432, a.http.get()));
}

TEST_F(NetworkTest, LoopbackPortsStayOnTheHost) {
  network_.ensure({spec("front")});
  Endpoint a(network_, "a", {on("front")});
  const Published published =
      network_.publish("a", {{.host_ip = "127.0.0.1", .published_first = 8080, .target = 80}});
  EXPECT_TRUE(reach(kHere, "127.0.0.1", 8080, a.http.get()));
  EXPECT_FALSE(reach(host_.outside(), "192.0.2.2", 8080, a.http.get()));
  EXPECT_FALSE(reach(host_.outside(), "127.0.0.1", 8080, a.http.get()));
  EXPECT_FALSE(reach(host_.outside(), "100.64.0.2", 8080, a.http.get()));
}

TEST_F(NetworkTest, SamePortAtTwoAddressesLeadsToTwoEndpoints) {
  network_.ensure({spec("front")});
  Endpoint a(network_, "a", {on("front")});
  Endpoint b(network_, "b", {on("front")});
  const Published one =
      network_.publish("a", {{.host_ip = "127.0.0.1", .published_first = 8080, .target = 80}});
  const Published two =
      network_.publish("b", {{.host_ip = "192.0.2.2", .published_first = 8080, .target = 80}});
  EXPECT_TRUE(reach(kHere, "127.0.0.1", 8080, a.http.get()));
  EXPECT_EQ(reach(host_.outside(), "192.0.2.2", 8080, b.http.get()), mapped("192.0.2.9"));
}

TEST_F(NetworkTest, IPv6LoopbackIsGivenToARelay) {
  network_.ensure({spec("front")});
  Endpoint a(network_, "a", {on("front")});
  const Published published = network_.publish("a", {{.published_first = 8080, .target = 80}});
  ASSERT_EQ(published.relays.size(), 1U);
  EXPECT_EQ(published.relays[0].to, "100.64.0.2:8080");
  EXPECT_EQ(reach(kHere, "::1", 8080, published.relays[0].socket.get()), "::1");
  EXPECT_EQ(reach(host_.outside(), "fd00:2::2", 8080, published.relays[0].socket.get()),
            "fd00:2::9");
  EXPECT_TRUE(reach(kHere, "100.64.0.2", 8080, a.http.get()));
}

TEST_F(NetworkTest, DualStackPublishesBothFamilies) {
  NetworkSpec dual = spec("front");
  dual.enable_ipv6 = true;
  network_.ensure({dual});
  Endpoint a(network_, "a", {on("front")});
  Endpoint b(network_, "b", {on("front")});
  ASSERT_FALSE(a.address.ipv6.empty());
  EXPECT_EQ(reach(b.netns.get(), a.address.ipv6, 80, a.http.get()), b.address.ipv6);
  const Published published = network_.publish("a", {{.published_first = 8080, .target = 80}});
  EXPECT_EQ(reach(host_.outside(), "fd00:2::2", 8080, a.http.get()), "fd00:2::9");
  EXPECT_TRUE(reach(kHere, "fd00:2::2", 8080, a.http.get()));
  EXPECT_EQ(reach(kHere, "::1", 8080, published.relays.at(0).socket.get()), "::1");
  const os::UniqueFd web = listen_in(host_.outside(), "::", 8000);
  EXPECT_EQ(reach(a.netns.get(), "fd00:2::9", 8000, web.get()), "fd00:2::2");
}

TEST_F(NetworkTest, UdpClientThatSentTooEarlyIsServedOncePublished) {
  network_.ensure({spec("front")});
  Endpoint a(network_, "a", {on("front")});
  const os::UniqueFd server = udp_in(a.netns.get(), "0.0.0.0", 53);
  const os::UniqueFd client = udp_in(host_.outside(), "0.0.0.0", 5000);
  EXPECT_FALSE(send_datagram(client.get(), "192.0.2.2", 5353, server.get()));
  const Published published =
      network_.publish("a", {{.published_first = 5353, .target = 53, .protocol = "udp"}});
  EXPECT_EQ(send_datagram(client.get(), "192.0.2.2", 5353, server.get()), "192.0.2.9");
}

TEST_F(NetworkTest, TakenPortsAreRefusedWithTheirHolder) {
  network_.ensure({spec("front")});
  Endpoint a(network_, "a", {on("front")});
  const os::UniqueFd other = listen_in(kHere, "0.0.0.0", 8080);
  try {
    network_.publish(
        "a", {{.published_first = 8081, .target = 80}, {.published_first = 8080, .target = 80}});
    FAIL() << "port 8080 was free";
  } catch (const os::Error& error) {
    EXPECT_EQ(error.code(), EADDRINUSE);
    EXPECT_THAT(error.what(), HasSubstr("Bind for 0.0.0.0:8080 failed: port is already allocated"));
    EXPECT_THAT(error.what(), HasSubstr("pid " + std::to_string(::getpid())));
  }
  EXPECT_TRUE(network_.published("a").empty());
  EXPECT_FALSE(reach(host_.outside(), "192.0.2.2", 8081, a.http.get()));
  const Published range =
      network_.publish("a", {{.published_first = 8080, .published_last = 8085, .target = 80}});
  EXPECT_EQ(range.ports.at(0).published, 8081);
  const Published any = network_.publish("a", {{.target = 80}});
  EXPECT_NE(any.ports.at(0).published, 0);
  EXPECT_EQ(any.ports.at(0).published, any.ports.at(1).published);
}

TEST_F(NetworkTest, EndpointsThatMayNotTalkReachOnlyTheWayOut) {
  NetworkSpec quiet = spec("quiet");
  quiet.icc = false;
  network_.ensure({quiet});
  Endpoint a(network_, "a", {on("quiet")});
  Endpoint b(network_, "b", {on("quiet")});
  const os::UniqueFd web = listen_in(host_.outside(), "0.0.0.0", 8000);
  EXPECT_FALSE(reach(a.netns.get(), b.address.ipv4, 80, b.http.get()));
  EXPECT_EQ(reach(a.netns.get(), "192.0.2.9", 8000, web.get()), "192.0.2.2");
}

TEST_F(NetworkTest, DnsSocketsTakePort53AndLeaveItToPrograms) {
  const os::UniqueFd netns = make_namespace();
  const DnsSockets first = Network::open_dns(netns.get());
  const DnsSockets dns = Network::open_dns(netns.get());
  const os::UniqueFd own_udp = udp_in(netns.get(), "0.0.0.0", 53);
  const os::UniqueFd own_tcp = listen_in(netns.get(), "0.0.0.0", 53);
  const os::UniqueFd client = udp_in(netns.get(), "127.0.0.1", 0);
  EXPECT_TRUE(send_datagram(client.get(), "127.0.0.11", 53, dns.udp.get()));
  EXPECT_TRUE(reach(netns.get(), "127.0.0.11", 53, dns.tcp.get()));
  EXPECT_TRUE(reach(netns.get(), "127.0.0.1", 53, own_tcp.get()));
}

TEST_F(NetworkTest, NextNetworkOfTheProjectTakesOverWhatIsThere) {
  network_.ensure({spec("front")});
  Endpoint a(network_, "a", {on("front")});
  const Published published = network_.publish("a", {{.published_first = 8080, .target = 80}});
  Network again(host_.run_dir(), "shop");
  again.ensure({spec("front")});
  EXPECT_EQ(again.lease("a", {on("front")}).at(0).ipv4, a.address.ipv4);
  EXPECT_EQ(again.published("a"), published.ports);
  EXPECT_EQ(reach(host_.outside(), "192.0.2.2", 8080, a.http.get()), mapped("192.0.2.9"));
  Endpoint b(again, "b", {on("front")});
  EXPECT_TRUE(reach(b.netns.get(), a.address.ipv4, 80, a.http.get()));
}

TEST_F(NetworkTest, FlushedFirewallOfTheHostComesBackWithTheNextPort) {
  network_.ensure({spec("front")});
  Endpoint a(network_, "a", {on("front")});
  Endpoint b(network_, "b", {on("front")});
  const Published one = network_.publish("a", {{.published_first = 8080, .target = 80}});
  nft_commit("flush ruleset\n");
  EXPECT_FALSE(reach(host_.outside(), "192.0.2.2", 8080, a.http.get()));
  const Published two = network_.publish("b", {{.published_first = 8081, .target = 80}});
  EXPECT_TRUE(reach(host_.outside(), "192.0.2.2", 8080, a.http.get()));
  EXPECT_TRUE(reach(host_.outside(), "192.0.2.2", 8081, b.http.get()));
}

TEST_F(NetworkTest, RestoredFirewallKeepsWhatOtherDirectoriesHaveInIt) {
  Network elsewhere(host_.run_dir() + "/elsewhere", "shop");
  elsewhere.ensure({{.name = "front", .pools = {{.subnet = "10.77.0.0/24"}}}});
  Endpoint theirs(elsewhere, "a", {on("front")});
  const Published port = elsewhere.publish("a", {{.published_first = 8081, .target = 80}});
  network_.ensure({spec("front")});
  Endpoint ours(network_, "a", {on("front")});
  const Published published = network_.publish("a", {{.published_first = 8080, .target = 80}});
  nft_commit("flush table inet stack\n");
  EXPECT_FALSE(reach(host_.outside(), "192.0.2.2", 8080, ours.http.get()));
  Network::restore_host_firewall(host_.run_dir());
  EXPECT_TRUE(reach(host_.outside(), "192.0.2.2", 8080, ours.http.get()));
  EXPECT_TRUE(reach(host_.outside(), "192.0.2.2", 8081, theirs.http.get()));
}

TEST_F(NetworkTest, FirewallOfAnotherShapeIsMadeAnew) {
  network_.ensure({spec("front")});
  Endpoint a(network_, "a", {on("front")});
  const Published published = network_.publish("a", {{.published_first = 8080, .target = 80}});
  nft_commit(
      "delete table inet stack\n"
      "table inet stack {\n set uplinks { type ipv4_addr; }\n"
      " chain nat_output {\n type filter hook output priority 0; policy accept;\n }\n}\n");
  Network::restore_host_firewall(host_.run_dir());
  EXPECT_TRUE(reach(host_.outside(), "192.0.2.2", 8080, a.http.get()));
}

TEST_F(NetworkTest, ForeignDropPolicyDoesNotCutTheStackOff) {
  network_.remove();
  nft_commit(
      "table ip filter {\n chain FORWARD {\n type filter hook forward priority 0; policy drop;\n "
      "}\n}\n");
  Network network(host_.run_dir(), "shop");
  network.ensure({spec("front")});
  Endpoint a(network, "a", {on("front")});
  const Published published = network.publish("a", {{.published_first = 8080, .target = 80}});
  EXPECT_TRUE(reach(host_.outside(), "192.0.2.2", 8080, a.http.get()));
  network.remove();
  EXPECT_THAT(nft_list("list chain ip filter FORWARD"), ::testing::Not(HasSubstr("stack:")));
}

TEST_F(NetworkTest, TwoStacksStayApartAndMeetAtPublishedPorts) {
  Network other(host_.run_dir(), "blog");
  network_.ensure({spec("front")});
  other.ensure({spec("front")});
  Endpoint a(network_, "a", {on("front")});
  Endpoint b(other, "b", {on("front")});
  EXPECT_NE(a.address.ipv4, b.address.ipv4);
  const Published published = network_.publish("a", {{.published_first = 8080, .target = 80}});
  EXPECT_FALSE(reach(b.netns.get(), a.address.ipv4, 80, a.http.get()));
  EXPECT_FALSE(reach(b.netns.get(), "100.64.0.2", 8080, a.http.get()));
  EXPECT_TRUE(reach(b.netns.get(), "192.0.2.2", 8080, a.http.get()));
  other.remove();
  EXPECT_TRUE(reach(host_.outside(), "192.0.2.2", 8080, a.http.get()));
}

TEST_F(NetworkTest, ChangedAndObsoleteNetworksGo) {
  network_.ensure({spec("front"), spec("back")});
  const std::string bridge = network_.networks().at(1).bridge;
  EXPECT_THAT(devices_in(network_.netns_fd()), Contains(bridge));
  NetworkSpec changed = spec("front");
  changed.pools = {{.subnet = "10.77.0.0/24"}};
  network_.ensure({changed});
  EXPECT_THAT(devices_in(network_.netns_fd()), ::testing::Not(Contains(bridge)));
  ASSERT_EQ(network_.networks().size(), 1U);
  EXPECT_EQ(network_.networks()[0].gateway4, "10.77.0.1");
  Endpoint a(network_, "a", {{.network = "front", .ipv4 = "10.77.0.9"}});
  EXPECT_TRUE(reach(kHere, "10.77.0.9", 80, a.http.get()));
}

TEST_F(NetworkTest, WhatIsLeftForLaterIsThereWhenItIsNeeded) {
  Network later(host_.run_dir(), "later", Network::Work::later);
  later.ensure({spec("front")});
  const std::string bridge = later.networks().front().bridge;
  EXPECT_FALSE(later.lease("a", {on("front")}).front().ipv4.empty());
  EXPECT_THAT(devices_in(later.netns_fd()), Not(Contains(bridge)));
  Endpoint a(later, "a", {on("front")});
  Endpoint b(later, "b", {on("front")});
  EXPECT_FALSE(later.advance());
  EXPECT_THAT(devices_in(later.netns_fd()), Contains(bridge));
  EXPECT_EQ(reach(a.netns.get(), b.address.ipv4, 80, b.http.get()), mapped(a.address.ipv4));
  later.remove();
}

TEST_F(NetworkTest, ANetworkThatIsGivenUpHalfwayLeavesNothing) {
  Network later(host_.run_dir(), "later", Network::Work::later);
  later.ensure({spec("front")});
  EXPECT_TRUE(later.advance());
  later.remove();
  EXPECT_FALSE(Network::exists(host_.run_dir(), "later"));
  EXPECT_FALSE(later.advance());
}

TEST_F(NetworkTest, InterfacesTakeTheirNamesMtuAndMac) {
  network_.ensure({spec("front"), spec("back")});
  const os::UniqueFd netns = make_namespace();
  EndpointSpec named = on("front", false);
  named.interface = "web0";
  named.mac = "02:42:ac:11:65:43";
  network_.attach("a", netns.get(), {named, on("back")});
  EXPECT_THAT(devices_in(netns.get()), ::testing::UnorderedElementsAre("lo", "web0", "eth0"));
  const auto addresses = network_.lease("a", {named, on("back")});
  EXPECT_EQ(addresses.at(0).mac, "02:42:ac:11:65:43");
  EXPECT_EQ(addresses.at(1).interface, "eth0");
  network_.detach("a");
  EXPECT_THAT(devices_in(netns.get()), ::testing::ElementsAre("lo"));
}

TEST_F(NetworkTest, RemoveLeavesNothing) {
  network_.ensure({spec("front")});
  Endpoint a(network_, "a", {on("front")});
  const Published published = network_.publish("a", {{.published_first = 8080, .target = 80}});
  EXPECT_TRUE(Network::exists(host_.run_dir(), "shop"));
  EXPECT_EQ(Network::projects(host_.run_dir()), std::vector<std::string>{"shop"});
  network_.remove();
  EXPECT_THAT(devices_in(kHere), ::testing::UnorderedElementsAre("lo", "eth0"));
  EXPECT_EQ(nft_list("list table inet stack"), "");
  EXPECT_FALSE(Network::exists(host_.run_dir(), "shop"));
  EXPECT_TRUE(Network::projects(host_.run_dir()).empty());
}

TEST_F(NetworkTest, DiscardTakesAwayWhatCannotBeOpened) {
  network_.ensure({spec("front")});
  const std::string record = host_.run_dir() + "/networks/shop/record.json";
  Network::discard(host_.run_dir(), "shop");
  EXPECT_THAT(devices_in(kHere), ::testing::UnorderedElementsAre("lo", "eth0"));
  EXPECT_FALSE(os::exists(record));
}

TEST_F(NetworkTest, FiftyEndpointsAreAttachedQuickly) {
  constexpr int kEndpoints = 50;
  network_.ensure({spec("front")});
  std::vector<os::UniqueFd> namespaces;
  for (int i = 0; i < kEndpoints; ++i) namespaces.push_back(make_namespace());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kEndpoints; ++i) {
    network_.attach("replica-" + std::to_string(i), namespaces[static_cast<std::size_t>(i)].get(),
                    {on("front")});
  }
  const std::chrono::duration<double, std::milli> attached =
      std::chrono::steady_clock::now() - start;
  const DnsSockets dns = Network::open_dns(namespaces[0].get());
  RecordProperty("attach_ms", std::to_string(attached.count() / kEndpoints));
  // Far above what it costs on an idle machine: only a change in kind is to fail.
  EXPECT_LT(attached.count() / kEndpoints, 100.0);
  std::printf("attach: %.2f ms per endpoint\n", attached.count() / kEndpoints);
}

}  // namespace
}  // namespace network
