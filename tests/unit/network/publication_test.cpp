#include "network/publication.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace network {
namespace {

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

PublicationTarget target4() {
  return {.owner = "web",
          .ipv4 = ip("172.18.0.2"),
          .ipv6 = std::nullopt,
          .uplink = {.device = "st0", .subnet4 = Subnet::parse("100.64.0.0/30").value()}};
}

PublicationRecord record(const char* owner, const char* host_ip, std::uint16_t port) {
  return {.owner = owner,
          .protocol = "tcp",
          .host_ip = ip(host_ip),
          .published = port,
          .transit = port,
          .target = 80};
}

TEST(Publication, NoHostAddressMeansAllOfBothFamilies) {
  const auto both = port_addresses({.target = 80}, target4(), true);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].address.to_string(), "0.0.0.0");
  EXPECT_EQ(both[0].use, PortUse::reserve);
  EXPECT_EQ(both[1].address.to_string(), "::");
  EXPECT_EQ(both[1].use, PortUse::relay);
  EXPECT_EQ(port_addresses({.target = 80}, target4(), false).size(), 1U);
  EXPECT_THROW(port_addresses({.host_ip = "localhost", .target = 80}, target4(), true), os::Error);
}

TEST(Publication, SctpIsNeverRelayed) {
  for (const PortAddress& where :
       port_addresses({.target = 80, .protocol = "sctp"}, target4(), true)) {
    EXPECT_EQ(where.use, PortUse::reserve);
  }
}

TEST(Publication, TransitPortIsThePublishedOneUnlessTaken) {
  EXPECT_EQ(choose_transit({}, "tcp", 8080), 8080);
  const std::vector<PublicationRecord> one{record("web", "127.0.0.1", 8080)};
  EXPECT_EQ(choose_transit(one, "udp", 8080), 8080);
  EXPECT_EQ(choose_transit(one, "tcp", 8080), 65535);
}

TEST(Publication, StaleHoldersOfAPortAreFound) {
  std::vector<PublicationRecord> all{record("gone", "0.0.0.0", 80), record("other", "0.0.0.0", 81)};
  const auto stale = extract_stale(all, {record("web", "0.0.0.0", 80)});
  ASSERT_EQ(stale.size(), 1U);
  EXPECT_EQ(stale[0].owner, "gone");
  EXPECT_EQ(all.size(), 1U);
  EXPECT_EQ(extract_publications(all, "other").size(), 1U);
  EXPECT_TRUE(all.empty());
}

TEST(Publication, BindsOnLoopbackAndSaysWhereTo) {
  const auto [published, records] =
      bind_publications({{.host_ip = "127.0.0.1", .target = 80}}, target4(), true, {});
  ASSERT_EQ(published.ports.size(), 1U);
  EXPECT_EQ(published.reservations.size(), 1U);
  EXPECT_NE(published.ports[0].published, 0);
  EXPECT_EQ(records[0].to4, ip("172.18.0.2"));
  EXPECT_THROW(
      bind_publications(
          {{.host_ip = "127.0.0.1", .published_first = published.ports[0].published, .target = 80}},
          target4(), true, {}),
      os::Error);
}

}  // namespace
}  // namespace network
