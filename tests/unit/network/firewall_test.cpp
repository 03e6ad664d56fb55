#include "network/firewall.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "network/network_plan.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace network {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

/// STACK_REWRITE_GOLDEN=1 in the environment writes what is there now.
void expect_golden(const std::string& name, const std::string& text) {
  const std::filesystem::path directory = std::filesystem::path(TEST_SOURCE_DIR) / "golden/network";
  const std::string path = directory / name;
  if (std::getenv("STACK_REWRITE_GOLDEN") != nullptr) {
    os::make_directories(directory, 0755);
    os::write_file_atomic(path, text, 0644);
  }
  EXPECT_EQ(text, os::read_file(path));
}

UplinkRecord uplink() {
  return {.device = "st0123456789ab",
          .subnet4 = Subnet::parse("100.64.0.0/30").value(),
          .subnet6 = Subnet::parse("fd01::/126").value()};
}

PublicationRecord publication(const char* host_ip, std::uint16_t published) {
  return {.owner = "web",
          .protocol = "tcp",
          .host_ip = ip(host_ip),
          .published = published,
          .transit = published,
          .target = 80,
          .to4 = ip("172.18.0.2"),
          .to6 = ip("fd01:0:0:1::2")};
}

Record stack() {
  Record record{.project = "shop", .uplink = uplink()};
  NetworkSpec front{.name = "front", .enable_ipv6 = true};
  NetworkSpec back{.name = "back", .internal = true, .icc = false};
  record.networks = plan_networks(
      {front, back}, {},
      {.project = "shop", .host = {}, .unique_local = Subnet::parse("fd01::/48").value()});
  record.publications = {publication("0.0.0.0", 8080), publication("::", 8080),
                         publication("127.0.0.1", 8081)};
  return record;
}

TEST(Firewall, RulesetOfAStack) { expect_golden("stack.nft", stack_ruleset(stack())); }

TEST(Firewall, RulesetOfTheHost) { expect_golden("host.nft", host_ruleset({stack()})); }

TEST(Firewall, RemovalToleratesWhatIsNotThere) {
  EXPECT_EQ(host_port_elements(Change::remove, uplink(), {publication("192.0.2.2", 80)}),
            "add element inet stack publish4 { 192.0.2.2 . 6 . 80 : 100.64.0.2 . 80 }\n"
            "delete element inet stack publish4 { 192.0.2.2 . 6 . 80 }\n");
}

TEST(Firewall, WhatARelayServesIsNotInTheHostsMaps) {
  EXPECT_EQ(host_port_elements(Change::add, uplink(), {publication("::1", 80)}), "");
  PublicationRecord only4 = publication("::", 80);
  only4.to6.reset();
  EXPECT_EQ(host_port_elements(Change::add, uplink(), {only4}), "");
  EXPECT_THAT(stack_port_elements(Change::add, {only4}), HasSubstr("publish4 { 6 . 80"));
}

TEST(Firewall, StackWithoutIPv6UplinkHasNoRulesForIt) {
  Record record = stack();
  record.uplink->subnet6.reset();
  EXPECT_THAT(stack_ruleset(record), Not(HasSubstr("fd01::1")));
}

TEST(Firewall, KnowsItsProtocols) {
  EXPECT_EQ(protocol_number("sctp"), 132);
  EXPECT_THROW(protocol_number("icmp"), os::Error);
}

}  // namespace
}  // namespace network
