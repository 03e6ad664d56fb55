#include "network/lease.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "network/network_plan.hpp"
#include "runtime/os/error.hpp"

namespace network {
namespace {

using ::testing::HasSubstr;

Record record_with(const std::vector<NetworkSpec>& specs) {
  Record record;
  record.networks = plan_networks(
      specs, {}, {.project = "p", .host = {}, .unique_local = Subnet::parse("fd01::/48").value()});
  return record;
}

EndpointSpec on(const std::string& network) { return {.network = network}; }

std::string failure_of(Record& record, const std::string& owner, const EndpointSpec& endpoint) {
  try {
    assign_leases(record, owner, {endpoint});
  } catch (const os::Error& error) {
    return error.what();
  }
  return "";
}

TEST(Lease, OwnersKeepTheirAddresses) {
  Record record = record_with({{.name = "n"}});
  EXPECT_EQ(assign_leases(record, "a", {on("n")}).at(0).ipv4, "172.18.0.2");
  const Address b = assign_leases(record, "b", {on("n")}).at(0);
  EXPECT_EQ(b.ipv4, "172.18.0.3");
  EXPECT_EQ(b.prefix4, 16);
  EXPECT_EQ(b.gateway4, "172.18.0.1");
  drop_leases(record, "a");
  const Address again = assign_leases(record, "b", {on("n")}).at(0);
  EXPECT_EQ(again.ipv4, b.ipv4);
  EXPECT_EQ(again.mac, b.mac);
  EXPECT_EQ(assign_leases(record, "c", {on("n")}).at(0).ipv4, "172.18.0.2");
}

TEST(Lease, NumbersInterfacesAroundNamedOnes) {
  Record record = record_with({{.name = "n"}, {.name = "m"}, {.name = "o"}});
  EndpointSpec named = on("m");
  named.interface = "eth0";
  const std::vector<Address> addresses = assign_leases(record, "a", {on("n"), named, on("o")});
  EXPECT_EQ(addresses.at(0).interface, "eth1");
  EXPECT_EQ(addresses.at(1).interface, "eth0");
  EXPECT_EQ(addresses.at(2).interface, "eth2");
}

TEST(Lease, FixedAddressesNeedAConfiguredSubnet) {
  Record record =
      record_with({{.name = "auto"}, {.name = "own", .pools = {{.subnet = "10.5.0.0/24"}}}});
  EndpointSpec fixed = on("auto");
  fixed.ipv4 = "172.18.0.9";
  EXPECT_THAT(failure_of(record, "a", fixed),
              HasSubstr("user specified IP address is supported only when connecting to networks "
                        "with user configured subnets"));
  fixed = on("own");
  fixed.ipv4 = "10.5.0.9";
  EXPECT_EQ(assign_leases(record, "a", {fixed}).at(0).ipv4, "10.5.0.9");
  EXPECT_THAT(failure_of(record, "b", fixed), HasSubstr("Address already in use"));
  fixed.ipv4 = "10.6.0.9";
  EXPECT_THAT(failure_of(record, "b", fixed), HasSubstr("is not in subnet 10.5.0.0/24"));
  fixed.ipv4 = "10.5.0.1";
  EXPECT_THAT(failure_of(record, "b", fixed), HasSubstr("already in use")) << "the gateway";
}

TEST(Lease, FailureLeavesTheRecordAsItWas) {
  Record record = record_with({{.name = "n"}});
  const Record before = record;
  EXPECT_ANY_THROW(assign_leases(record, "a", {on("n"), on("missing")}));
  EXPECT_EQ(record, before);
}

TEST(Lease, ExhaustedPoolIsNamed) {
  Record record = record_with({{.name = "tiny", .pools = {{.subnet = "10.5.0.0/30"}}}});
  assign_leases(record, "a", {on("tiny")});
  EXPECT_EQ(failure_of(record, "b", on("tiny")),
            "network 'tiny': no available addresses in 10.5.0.0/30");
}

TEST(Lease, PortsLeadToTheDefaultRouteAndNeverInsideInternalNetworks) {
  Record record = record_with({{.name = "closed", .internal = true}, {.name = "n"}, {.name = "m"}});
  EndpointSpec way_out = on("m");
  way_out.default_route = true;
  assign_leases(record, "a", {on("closed"), on("n"), way_out});
  EXPECT_EQ(publishing_lease(record, "a")->network, "m");
  assign_leases(record, "b", {on("closed"), on("n")});
  EXPECT_EQ(publishing_lease(record, "b")->network, "n");
  assign_leases(record, "c", {on("closed")});
  EXPECT_EQ(publishing_lease(record, "c"), nullptr);
}

}  // namespace
}  // namespace network
