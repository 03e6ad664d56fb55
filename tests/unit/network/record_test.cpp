#include "network/record.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "network/lease.hpp"
#include "network/network_plan.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace network {
namespace {

Record full_record() {
  Record record{.project = "shop"};
  record.uplink = UplinkRecord{.device = "st0",
                               .subnet4 = Subnet::parse("100.64.0.0/30").value(),
                               .subnet6 = Subnet::parse("fd01::/126").value(),
                               .mtu = 1400};
  record.networks = plan_networks(
      {{.name = "n",
        .pools =
            {{.subnet = "10.0.0.0/24", .ip_range = "10.0.0.0/25", .aux_addresses = {"10.0.0.9"}}},
        .enable_ipv6 = true,
        .mtu = 1300}},
      {}, {.project = "shop", .host = {}, .unique_local = Subnet::parse("fd01::/48").value()});
  assign_leases(record, "a",
                {{.network = "n", .default_route = true, .link_local = {"169.254.1.1"}}});
  record.publications.push_back({.owner = "a",
                                 .protocol = "udp",
                                 .host_ip = IpAddress::parse("::1").value(),
                                 .published = 53,
                                 .transit = 54,
                                 .target = 55,
                                 .to4 = record.leases[0].ipv4,
                                 .to6 = std::nullopt});
  return record;
}

TEST(Record, ComesBackAsItWasWritten) {
  const os::TempDir directory;
  const std::string path = directory.path() + "/record.json";
  EXPECT_FALSE(load_record(path));
  save_record(path, full_record());
  const Record record = load_record(path).value();
  EXPECT_EQ(to_json(record), to_json(record_from_json(to_json(record))));
  EXPECT_EQ(record.networks, full_record().networks);
  EXPECT_EQ(record.uplink, full_record().uplink);
  EXPECT_EQ(record.publications, full_record().publications);
}

TEST(Record, UplinkEndsAreTheMiddleOfTheirSubnet) {
  const Record record = full_record();
  EXPECT_EQ(record.uplink->host4().to_string(), "100.64.0.1");
  EXPECT_EQ(record.uplink->stack4().to_string(), "100.64.0.2");
  EXPECT_EQ(record.uplink->host6()->to_string(), "fd01::1");
}

TEST(Record, WhatCannotBeUnderstoodIsNamed) {
  const os::TempDir directory;
  const std::string path = directory.path() + "/record.json";
  for (const char* text : {"", "{", "[]", "{\"version\":2}", "{\"version\":1}"}) {
    os::write_file_atomic(path, text);
    try {
      load_record(path);
      ADD_FAILURE() << text;
    } catch (const os::Error& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("read '" + path + "'")) << error.what();
    }
  }
  nlohmann::json broken = to_json(full_record());
  broken["uplink"]["subnet4"] = "100.64.0.0";
  EXPECT_THROW(record_from_json(broken), os::Error);
}

}  // namespace
}  // namespace network
