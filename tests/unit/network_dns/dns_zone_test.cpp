#include "network/dns_zone.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "runtime/os/error.hpp"
#include "tests/unit/network_dns/packets.hpp"

namespace network {
namespace {

using test::make_query;
using test::QuestionOptions;
using test::Reply;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::uint16_t kA = 1;
constexpr std::uint16_t kPtr = 12;
constexpr std::uint16_t kAaaa = 28;
constexpr std::uint16_t kAny = 255;

// A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, NAPTR, DS, DNSKEY, SVCB, HTTPS, IXFR, AXFR, ANY, CAA
// and one that nobody has given a meaning.
constexpr std::uint16_t kTypes[] = {1,  2,  5,  6,  12,  15,  16,  28,  33,   35,
                                    43, 48, 64, 65, 251, 252, 255, 257, 65280};

class DnsZoneTest : public ::testing::Test {
 protected:
  DnsZoneTest() {
    zone_.set_network("shop_default", {"172.18.0.0/16"});
    zone_.set_network("backend", {"172.19.0.0/24", "fd00:5::/64"});
    zone_.set("shop_default", "db",
              {"shop-db-1", {"db", "database", "0123456789ab"}, {"172.18.0.2"}});
    zone_.set("backend", "db",
              {"shop-db-1", {"db", "store.example.com"}, {"172.19.0.2", "fd00:5::2"}});
    for (const char* i : {"1", "2", "3"}) {
      zone_.set("shop_default", std::string("web") + i,
                {std::string("shop-web-") + i, {"web"}, {std::string("172.18.0.1") + i}});
    }
  }

  // The reply, or nothing when the query is to be forwarded.
  std::optional<Reply> ask(const std::string& name, const QuestionOptions& options = {},
                           DnsTransport transport = DnsTransport::udp) {
    const auto packet = make_query(name, options);
    const DnsAnswer answer = zone_.answer(packet, view_, transport, buffer_);
    EXPECT_NE(answer.action, DnsAnswer::Action::drop);
    if (answer.action != DnsAnswer::Action::reply) return std::nullopt;
    return test::read_reply(DnsBytes(buffer_).first(answer.size));
  }

  std::vector<std::string> answers(const std::string& name, std::uint16_t type = kA) {
    const auto reply = ask(name, {.type = type});
    EXPECT_TRUE(reply) << name << " is forwarded";
    return reply ? reply->answers : std::vector<std::string>{"forwarded"};
  }

  std::string rcode(const std::string& name, std::uint16_t type = kA) {
    const auto reply = ask(name, {.type = type});
    return reply ? reply->rcode : "forwarded";
  }

  DnsZone zone_{1};
  DnsView view_{.networks = {"shop_default"}, .links = {}, .forward = true};
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(kDnsMaximumMessageSize);
};

TEST_F(DnsZoneTest, AnswersEveryNameOfAnEndpoint) {
  for (const char* name : {"shop-db-1", "db", "database", "0123456789ab", "DB", "db.",
                           "db.shop_default", "SHOP-DB-1.Shop_Default"}) {
    EXPECT_THAT(answers(name), ElementsAre("A 172.18.0.2")) << name;
  }
}

TEST_F(DnsZoneTest, ReplyIsShortLivedAndNotAuthoritative) {
  const auto reply = ask("dB");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->question, "dB.");
  EXPECT_THAT(reply->owners, ElementsAre("dB."));
  EXPECT_THAT(reply->ttls, ElementsAre(kDnsTtl));
  EXPECT_FALSE(reply->authoritative);
  EXPECT_TRUE(reply->recursion_available);
}

TEST_F(DnsZoneTest, KnownNameHasEveryType) {
  for (const std::uint16_t type : kTypes) {
    const auto reply = ask("db", {.type = type});
    ASSERT_TRUE(reply) << type;
    EXPECT_EQ(reply->rcode, "NOERROR") << type;
    EXPECT_EQ(reply->answers.size(), type == kA || type == kAny ? 1U : 0U) << type;
  }
}

TEST_F(DnsZoneTest, UnknownSingleLabelNeverLeaves) {
  for (const std::uint16_t type : kTypes) EXPECT_EQ(rcode("mail", type), "NXDOMAIN") << type;
}

TEST_F(DnsZoneTest, OtherNamesAreForwarded) {
  for (const std::uint16_t type : kTypes) {
    const bool transfer = type == 251 || type == 252;
    EXPECT_EQ(rcode("www.example.com", type), transfer ? "REFUSED" : "forwarded") << type;
  }
  EXPECT_EQ(rcode(""), "forwarded");
}

TEST_F(DnsZoneTest, ViewOfInternalNetworksOnlyForwardsNothing) {
  view_.forward = false;
  EXPECT_EQ(rcode("www.example.com"), "SERVFAIL");
  EXPECT_EQ(rcode("8.8.8.8.in-addr.arpa", kPtr), "SERVFAIL");
  EXPECT_EQ(rcode("mail"), "NXDOMAIN");
  EXPECT_THAT(answers("db"), ElementsAre("A 172.18.0.2"));
}

TEST_F(DnsZoneTest, AaaaIsNoDataWithoutIpv6AndAnsweredWithIt) {
  EXPECT_THAT(answers("db", kAaaa), IsEmpty());
  EXPECT_EQ(rcode("db", kAaaa), "NOERROR");
  view_.networks = {"backend"};
  EXPECT_THAT(answers("db", kAaaa), ElementsAre("AAAA fd00:5::2"));
  EXPECT_THAT(answers("db", kAny), ElementsAre("A 172.19.0.2", "AAAA fd00:5::2"));
}

TEST_F(DnsZoneTest, PreferredNetworkAnswers) {
  view_.networks = {"backend", "shop_default"};
  EXPECT_THAT(answers("db"), ElementsAre("A 172.19.0.2"));
  EXPECT_THAT(answers("db.shop_default"), ElementsAre("A 172.18.0.2"));
  view_.networks = {"shop_default", "backend"};
  EXPECT_THAT(answers("db"), ElementsAre("A 172.18.0.2"));
  EXPECT_THAT(answers("db.backend"), ElementsAre("A 172.19.0.2"));
}

TEST_F(DnsZoneTest, OtherNetworksAreNotSeen) {
  EXPECT_EQ(rcode("store.example.com"), "forwarded");
  view_.networks = {"backend"};
  EXPECT_THAT(answers("store.example.com"), ElementsAre("A 172.19.0.2"));
  EXPECT_THAT(answers("store.example.com.backend"), ElementsAre("A 172.19.0.2"));
  EXPECT_EQ(rcode("web"), "NXDOMAIN");
  view_.networks = {};
  EXPECT_EQ(rcode("db"), "NXDOMAIN");
}

TEST_F(DnsZoneTest, UnknownNameBelowANetworkStaysWhenItCannotBePublic) {
  EXPECT_EQ(rcode("mail.shop_default"), "NXDOMAIN");
  EXPECT_EQ(rcode("a.b.shop_default"), "NXDOMAIN");
  EXPECT_EQ(rcode("mail.backend"), "forwarded");
  view_.networks = {"backend"};
  EXPECT_EQ(rcode("db.shop_default"), "NXDOMAIN");
}

TEST_F(DnsZoneTest, LinksAreNamesOfTheirOwn) {
  view_.add_link("Mysql", "db");
  view_.add_link("web", "db");
  view_.add_link("gone", "nobody");
  EXPECT_THAT(answers("mysql"), ElementsAre("A 172.18.0.2"));
  EXPECT_THAT(answers("mysql.shop_default"), ElementsAre("A 172.18.0.2"));
  EXPECT_THAT(answers("web"), ElementsAre("A 172.18.0.2"));
  EXPECT_EQ(rcode("gone"), "NXDOMAIN");
  view_.links.clear();
  EXPECT_EQ(rcode("mysql"), "NXDOMAIN");
}

TEST_F(DnsZoneTest, ReplicasComeFirstEquallyOften) {
  std::map<std::string, int> first;
  for (int i = 0; i < 300; ++i) {
    const auto all = answers("web");
    ASSERT_THAT(all, UnorderedElementsAre("A 172.18.0.11", "A 172.18.0.12", "A 172.18.0.13"));
    ++first[all.front()];
  }
  for (const auto& [address, times] : first) EXPECT_EQ(times, 100) << address;
}

TEST_F(DnsZoneTest, ReplicasComeAndGo) {
  zone_.remove("shop_default", "web2");
  EXPECT_THAT(answers("web"), UnorderedElementsAre("A 172.18.0.11", "A 172.18.0.13"));
  EXPECT_EQ(rcode("shop-web-2"), "NXDOMAIN");
  zone_.remove("shop_default", "web2");
  zone_.remove("no_such_network", "web2");
  zone_.set("shop_default", "web4", {"shop-web-4", {"web"}, {"172.18.0.14"}});
  EXPECT_THAT(answers("web"),
              UnorderedElementsAre("A 172.18.0.11", "A 172.18.0.13", "A 172.18.0.14"));
  for (const char* id : {"web1", "web3", "web4"}) zone_.remove("shop_default", id);
  EXPECT_EQ(rcode("web"), "NXDOMAIN");
}

TEST_F(DnsZoneTest, SettingAgainReplaces) {
  zone_.set("shop_default", "db", {"shop-db-1", {"db", "db", "sql"}, {"172.18.0.9"}});
  EXPECT_THAT(answers("db"), ElementsAre("A 172.18.0.9"));
  EXPECT_THAT(answers("sql"), ElementsAre("A 172.18.0.9"));
  EXPECT_EQ(rcode("database"), "NXDOMAIN");
  EXPECT_EQ(rcode("2.0.18.172.in-addr.arpa", kPtr), "NXDOMAIN");
}

TEST_F(DnsZoneTest, SuccessorWithTheSameAddressOutlivesItsPredecessor) {
  zone_.set("shop_default", "db-new", {"shop-db-1", {"db"}, {"172.18.0.2"}});
  zone_.remove("shop_default", "db");
  EXPECT_THAT(answers("db"), ElementsAre("A 172.18.0.2"));
  EXPECT_THAT(answers("2.0.18.172.in-addr.arpa", kPtr), ElementsAre("PTR shop-db-1.shop_default."));
}

TEST_F(DnsZoneTest, EndpointWithoutAddressIsKnown) {
  zone_.set("shop_default", "dark", {"shop-dark-1", {}, {}});
  EXPECT_EQ(rcode("shop-dark-1"), "NOERROR");
}

TEST_F(DnsZoneTest, ReverseLookupNamesTheContainer) {
  EXPECT_THAT(answers("2.0.18.172.in-addr.arpa", kPtr), ElementsAre("PTR shop-db-1.shop_default."));
  view_.networks = {"backend"};
  EXPECT_THAT(
      answers("2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.5.0.0.0.0.0.D.F.ip6.arpa", kPtr),
      ElementsAre("PTR shop-db-1.backend."));
}

TEST_F(DnsZoneTest, ReverseZonesOfOwnSubnetsStay) {
  EXPECT_EQ(rcode("99.0.18.172.in-addr.arpa", kPtr), "NXDOMAIN");
  EXPECT_EQ(rcode("0.18.172.in-addr.arpa", kPtr), "NOERROR");
  EXPECT_EQ(rcode("18.172.in-addr.arpa", 6), "NOERROR");
  EXPECT_EQ(rcode("2.0.18.172.in-addr.arpa", 16), "NOERROR");
  // On a network of the stack that this container is not on: not shown, and not forwarded.
  EXPECT_EQ(rcode("2.0.19.172.in-addr.arpa", kPtr), "NXDOMAIN");
}

TEST_F(DnsZoneTest, OtherReverseLookupsAreForwarded) {
  for (const char* name :
       {"8.8.8.8.in-addr.arpa", "2.1.19.172.in-addr.arpa", "172.in-addr.arpa",
        "1.2.3.4.5.in-addr.arpa", "256.0.18.172.in-addr.arpa", "02.0.18.172.in-addr.arpa",
        "x.0.18.172.in-addr.arpa", "1.0.0.0.ip6.arpa", "in-addr.arpa", "ff.ip6.arpa"}) {
    EXPECT_EQ(rcode(name, kPtr), "forwarded") << name;
  }
}

TEST_F(DnsZoneTest, LabelWithADotIsNotTheNameItLooksLike) {
  auto packet = make_query("storeXexample.com");
  packet[kDnsHeaderSize + 6] = '.';
  view_.networks = {"backend"};
  EXPECT_EQ(zone_.answer(packet, view_, DnsTransport::udp, buffer_).action,
            DnsAnswer::Action::forward);
}

TEST_F(DnsZoneTest, LabelThatOnlyEndsLikeAReverseZoneIsNone) {
  const std::string name = std::string("1.0.18.1") + '\7' + "in-addr.arpa";
  auto packet = make_query(name);
  EXPECT_EQ(zone_.answer(packet, view_, DnsTransport::udp, buffer_).action,
            DnsAnswer::Action::forward);
  EXPECT_EQ(rcode(std::string("db") + '\14' + "shop_default"), "NXDOMAIN");
}

TEST_F(DnsZoneTest, ManyReplicasAreCutOverUdpAndWholeOverTcp) {
  for (int i = 0; i < 250; ++i) {
    const std::string number = std::to_string(i);
    zone_.set("shop_default", "many" + number, {"m-" + number, {"many"}, {"172.18.1." + number}});
  }
  const auto udp = ask("many");
  ASSERT_TRUE(udp);
  EXPECT_TRUE(udp->truncated);
  EXPECT_GT(udp->answers.size(), 25U);
  const auto edns = ask("many", {.edns_size = 4096});
  ASSERT_TRUE(edns);
  EXPECT_FALSE(edns->truncated);
  EXPECT_EQ(edns->answers.size(), 250U);
  const auto tcp = ask("many", {}, DnsTransport::tcp);
  ASSERT_TRUE(tcp);
  EXPECT_FALSE(tcp->truncated);
  EXPECT_EQ(tcp->answers.size(), 250U);
}

TEST_F(DnsZoneTest, ErrorsOfTheMessageAreReplied) {
  const auto reply = ask("db", {.klass = 3});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->rcode, "NOTIMPL");
  const auto version = ask("db", {.edns_size = 512, .edns_version = 9});
  ASSERT_TRUE(version);
  EXPECT_EQ(version->extended_rcode, 1U);
  EXPECT_THAT(version->answers, IsEmpty());
}

TEST_F(DnsZoneTest, ResponsesAreDropped) {
  const auto packet = make_query("db", {.flags = 0x8180});
  EXPECT_EQ(zone_.answer(packet, view_, DnsTransport::udp, buffer_).action,
            DnsAnswer::Action::drop);
}

TEST_F(DnsZoneTest, RemovedNetworkIsForgotten) {
  zone_.remove_network("shop_default");
  zone_.remove_network("shop_default");
  EXPECT_EQ(rcode("db"), "NXDOMAIN");
  EXPECT_EQ(rcode("2.0.18.172.in-addr.arpa", kPtr), "forwarded");
}

TEST_F(DnsZoneTest, MalformedInputIsRefusedAndChangesNothing) {
  EXPECT_THROW(zone_.set("shop_default", "db", {"x", {}, {"172.18.0"}}), os::Error);
  EXPECT_THROW(zone_.set_network("shop_default", {"172.18.0.0"}), os::Error);
  EXPECT_THROW(zone_.set_network("shop_default", {"172.18.0.0/33"}), os::Error);
  EXPECT_THROW(zone_.set_network("shop_default", {"shop/16"}), os::Error);
  EXPECT_THAT(answers("db"), ElementsAre("A 172.18.0.2"));
}

TEST_F(DnsZoneTest, NamesThatCannotBeAskedAreLeftOut) {
  zone_.set("shop_default", "long", {std::string(70, 'x'), {"fine", "a..b"}, {"172.18.0.77"}});
  EXPECT_THAT(answers("fine"), ElementsAre("A 172.18.0.77"));
  EXPECT_THAT(answers("77.0.18.172.in-addr.arpa", kPtr), IsEmpty());
}

}  // namespace
}  // namespace network
