#include "orchestrator/endpoints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace orchestrator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A service "web" on the networks that a test declares.
class EndpointsTest : public testing::Test {
 protected:
  manifests::Network& declare(const std::string& key) {
    service_.networks[key];
    stack_.networks[key].name = "shop_" + key;
    return stack_.networks[key];
  }
  /// The network of the default route, "" without one.
  std::string gateway() const {
    std::string found;
    for (const network::EndpointSpec& spec : endpoint_specs(stack_, service_))
      if (spec.default_route) found += spec.network;
    return found;
  }
  std::vector<std::string> order() const {
    std::vector<std::string> names;
    for (const network::EndpointSpec& spec : endpoint_specs(stack_, service_))
      names.push_back(spec.network);
    return names;
  }

  manifests::Stack stack_{.name = "shop"};
  manifests::Service service_{.name = "web"};
};

// A7: interfaces by falling priority, then by name.
TEST_F(EndpointsTest, MakesInterfacesByPriority) {
  for (const char* key : {"a", "b", "c"}) declare(key);
  service_.networks["c"].priority = 10;
  EXPECT_THAT(order(), ElementsAre("shop_c", "shop_a", "shop_b"));
}

// A7: the default route by gw_priority, dual stack, then name; priority has no say in it.
TEST_F(EndpointsTest, ChoosesOneGateway) {
  for (const char* key : {"a", "b", "c"}) declare(key);
  service_.networks["c"].priority = 10;
  EXPECT_EQ(gateway(), "shop_a");
  stack_.networks["b"].enable_ipv6 = true;
  EXPECT_EQ(gateway(), "shop_b");
  service_.networks["c"].gw_priority = 1;
  EXPECT_EQ(gateway(), "shop_c");
  service_.networks["a"].gw_priority = -1;
  EXPECT_EQ(gateway(), "shop_c");
}

TEST_F(EndpointsTest, LeadsNoDefaultRouteThroughAnInternalNetwork) {
  declare("a").internal = true;
  EXPECT_EQ(gateway(), "");
  declare("b");
  EXPECT_EQ(gateway(), "shop_b");
}

TEST_F(EndpointsTest, PassesAddressesOn) {
  declare("a");
  declare("b");
  service_.mac_address = "02:00:00:00:00:01";
  service_.networks["b"].ipv4_address = "10.0.0.9";
  const auto specs = endpoint_specs(stack_, service_);
  ASSERT_EQ(specs.size(), 2U);
  EXPECT_EQ(specs[0].mac, "02:00:00:00:00:01") << "the service's is that of its first interface";
  EXPECT_EQ(specs[0].ipv4, std::nullopt);
  EXPECT_EQ(specs[1].mac, std::nullopt);
  EXPECT_EQ(specs[1].ipv4, "10.0.0.9");
}

TEST_F(EndpointsTest, ReadsTheOptionsOfABridge) {
  manifests::Network& network = declare("a");
  network.driver_opts = {{"com.docker.network.driver.mtu", "1400"},
                         {"com.docker.network.bridge.enable_icc", "false"},
                         {"com.docker.network.bridge.name", "br-shop"}};
  network.ipam.config = {{.subnet = "10.9.0.0/24", .aux_addresses = {{"printer", "10.9.0.5"}}}};
  const auto specs = network_specs(stack_);
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_EQ(specs[0].name, "shop_a");
  EXPECT_EQ(specs[0].mtu, 1400);
  EXPECT_FALSE(specs[0].icc);
  EXPECT_TRUE(specs[0].masquerade);
  EXPECT_TRUE(specs[0].enable_ipv4);
  EXPECT_FALSE(specs[0].enable_ipv6);
  EXPECT_EQ(specs[0].bridge_name, "br-shop");
  ASSERT_EQ(specs[0].pools.size(), 1U);
  EXPECT_EQ(specs[0].pools[0].subnet, "10.9.0.0/24");
  EXPECT_THAT(specs[0].pools[0].aux_addresses, ElementsAre("10.9.0.5"));
}

TEST_F(EndpointsTest, RefusesWhatIsNotThere) {
  declare("a").driver = "overlay";
  EXPECT_THROW(network_specs(stack_), os::Error);
  stack_.networks["a"].driver = "bridge";
  EXPECT_NO_THROW(network_specs(stack_));
  for (const char* mtu : {"67", "65536", "1500x", "many"}) {
    stack_.networks["a"].driver_opts["com.docker.network.driver.mtu"] = mtu;
    EXPECT_THROW(network_specs(stack_), os::Error) << mtu;
  }
}

TEST_F(EndpointsTest, LeavesNetworksThatStacksShareToThoseWhoMadeThem) {
  declare("a");
  stack_.networks["b"] = {.name = "outside", .external = true};
  const auto specs = network_specs(stack_);
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_NE(specs[0].name, "outside");
}

TEST_F(EndpointsTest, PublishesPorts) {
  service_.ports = {{.host_ip = "127.0.0.1", .target = 80, .published = "8000-8010"},
                    {.target = 53, .protocol = manifests::Protocol::udp}};
  const auto specs = publish_specs(service_);
  ASSERT_EQ(specs.size(), 2U);
  EXPECT_EQ(specs[0].host_ip, "127.0.0.1");
  EXPECT_EQ(specs[0].published_first, 8000);
  EXPECT_EQ(specs[0].published_last, 8010);
  EXPECT_EQ(specs[0].protocol, "tcp");
  EXPECT_EQ(specs[1].published_first, 0);
  EXPECT_EQ(specs[1].target, 53);
  EXPECT_EQ(specs[1].protocol, "udp");
  service_.network_mode = "host";
  EXPECT_THAT(publish_specs(service_), IsEmpty());
}

TEST_F(EndpointsTest, AnswersToItsNames) {
  declare("a");
  service_.networks["a"].aliases = {"www"};
  service_.hostname = "node";
  const ContainerRecord record{.id = "0123456789abcdef", .name = "shop-web-1"};
  const network::Address address{.ipv4 = "10.0.0.2"};
  const auto endpoint = dns_endpoint(service_, record, "a", true, address);
  EXPECT_EQ(endpoint.name, "shop-web-1");
  EXPECT_THAT(endpoint.aliases, ElementsAre("0123456789ab", "node", "web", "www"));
  EXPECT_THAT(endpoint.addresses, ElementsAre("10.0.0.2"));
  EXPECT_THAT(dns_endpoint(service_, record, "a", false, address).aliases,
              ElementsAre("0123456789ab", "node"))
      << "a one-off does not answer for its service";
}

/// "network interface way-out", for the endpoints of a container on networks of its own and shared
/// ones, which begin with "+".
std::vector<std::string> arranged(std::vector<network::EndpointSpec> endpoints) {
  std::vector<std::string> lines;
  for (const network::EndpointSpec& each :
       arrange(std::move(endpoints), [](const std::string& name) { return name.front() == '+'; }))
    lines.push_back(each.network + " " + each.interface + " " +
                    (each.no_default_route ? "never"
                     : each.default_route  ? "first"
                                           : "else"));
  return lines;
}

TEST(ArrangeTest, OneNamespaceGivesTheWayOut) {
  EXPECT_THAT(arranged({{.network = "a", .default_route = true}, {.network = "b"}}),
              ElementsAre("a eth0 first", "b eth1 else"));
  EXPECT_THAT(arranged({{.network = "a", .default_route = true}, {.network = "+b"}}),
              ElementsAre("a eth0 first", "+b eth1 never"));
  EXPECT_THAT(arranged({{.network = "a"}, {.network = "+b", .default_route = true}}),
              ElementsAre("a eth0 never", "+b eth1 first"));
  EXPECT_THAT(arranged({{.network = "+a"}, {.network = "+b", .default_route = true}}),
              ElementsAre("+a eth0 never", "+b eth1 first"));
}

TEST(ArrangeTest, NamesThatAreAskedForAreNotGivenToOthers) {
  EXPECT_THAT(
      arranged({{.network = "a"}, {.network = "+b", .interface = "eth0"}, {.network = "c"}}),
      ElementsAre("a eth1 else", "+b eth0 never", "c eth2 else"));
}

TEST_F(EndpointsTest, TakesDriverOptionsOfTheEndpoint) {
  declare("a");
  service_.networks["a"].interface_name = "lan0";
  service_.networks["a"].driver_opts = {
      {"com.docker.network.endpoint.ifname", "wan0"},
      {"com.docker.network.endpoint.sysctls",
       "net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.IFNAME.rp_filter=0"}};
  const auto specs = endpoint_specs(stack_, service_);
  EXPECT_EQ(specs[0].interface, "wan0");
  EXPECT_EQ(specs[0].sysctls.at("net.ipv4.conf.IFNAME.log_martians"), "1");
  EXPECT_EQ(specs[0].sysctls.at("net.ipv4.conf.IFNAME.rp_filter"), "0");
  for (const char* bad : {"net.ipv4.conf.IFNAME.log_martians", "net.ipv4.ip_forward=1"}) {
    service_.networks["a"].driver_opts["com.docker.network.endpoint.sysctls"] = bad;
    EXPECT_THROW(endpoint_specs(stack_, service_), os::Error) << bad;
  }
}

TEST_F(EndpointsTest, LeavesSharedNetworksToOthers) {
  declare("a");
  declare("b").external = true;
  const auto specs = network_specs(stack_);
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_EQ(specs[0].name, "shop_a");
}

TEST_F(EndpointsTest, SeesItsNetworksAndLinks) {
  declare("a").internal = true;
  EXPECT_FALSE(dns_view(stack_, service_).forward);
  declare("b");
  service_.networks["b"].gw_priority = 1;
  service_.links = {"db:database", "cache"};
  const network::DnsView view = dns_view(stack_, service_);
  EXPECT_THAT(view.networks, ElementsAre("shop_b", "shop_a"));
  EXPECT_TRUE(view.forward);
  EXPECT_THAT(view.links, ElementsAre(testing::Pair("database", "db")));
}

}  // namespace
}  // namespace orchestrator
