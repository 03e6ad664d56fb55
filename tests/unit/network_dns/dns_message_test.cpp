#include "network/dns_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "tests/unit/network_dns/packets.hpp"

namespace network {
namespace {

using test::Bytes;
using test::make_query;
using test::put16;
using test::QuestionOptions;
using test::read_reply;
using test::Reply;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

DnsRcode rcode_of(const Bytes& packet) {
  const auto query = parse_dns_query(packet);
  EXPECT_TRUE(query.has_value());
  return query ? query->rcode : DnsRcode::noerror;
}

Reply reply_to(const Bytes& packet, DnsRcode rcode) {
  const auto query = parse_dns_query(packet);
  EXPECT_TRUE(query.has_value());
  std::array<std::uint8_t, kDnsMinimumUdpSize> buffer;
  return read_reply(DnsBytes(buffer).first(write_dns_reply(*query, rcode, buffer)));
}

TEST(DnsKey, IsLabelsInLowerCase) {
  EXPECT_EQ(dns_key("Db"), std::string("\2db"));
  EXPECT_EQ(dns_key("db.Shop_default"), std::string("\2db\14shop_default"));
  EXPECT_EQ(dns_key("db."), std::string("\2db"));
}

TEST(DnsKey, RefusesWhatCannotBeAsked) {
  for (const std::string& name : {std::string(), std::string("."), std::string("a..b"),
                                  std::string(".a"), std::string(64, 'a')}) {
    EXPECT_EQ(dns_key(name), std::nullopt) << name;
  }
  std::string longest = std::string(63, 'a') + '.' + std::string(63, 'b') + '.' +
                        std::string(63, 'c') + '.' + std::string(61, 'd');
  EXPECT_TRUE(dns_key(longest));
  EXPECT_FALSE(dns_key(longest + 'd'));
}

TEST(DnsQuery, IsRead) {
  const Bytes packet = make_query("Web.Example.COM", {.type = 28, .id = 0xbeef});
  const auto query = parse_dns_query(packet);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->rcode, DnsRcode::noerror);
  EXPECT_EQ(query->id, 0xbeef);
  EXPECT_EQ(query->type, DnsType::aaaa);
  EXPECT_EQ(query->key(), *dns_key("web.example.com"));
  EXPECT_EQ(query->labels, 3U);
  EXPECT_FALSE(query->edns);
  EXPECT_EQ(query->reply_limit(DnsTransport::udp), 512U);
  EXPECT_EQ(query->reply_limit(DnsTransport::tcp), 65535U);
}

TEST(DnsQuery, RootHasNoLabels) {
  const auto query = parse_dns_query(make_query("", {.type = 2}));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->rcode, DnsRcode::noerror);
  EXPECT_EQ(query->labels, 0U);
  EXPECT_EQ(query->key(), "");
}

TEST(DnsQuery, EdnsSizeIsKeptWithinBounds) {
  for (const auto& [offered, limit] : std::initializer_list<std::pair<int, std::size_t>>{
           {0, 512}, {511, 512}, {1232, 1232}, {4096, 4096}, {65535, 4096}}) {
    const Bytes packet = make_query("db", {.edns_size = offered, .dnssec_ok = true});
    const auto query = parse_dns_query(packet);
    ASSERT_TRUE(query);
    EXPECT_TRUE(query->edns);
    EXPECT_TRUE(query->dnssec_ok);
    EXPECT_EQ(query->reply_limit(DnsTransport::udp), limit);
  }
}

TEST(DnsQuery, ShortPacketsAndResponsesAreNotAnswered) {
  const Bytes packet = make_query("db");
  for (std::size_t size = 0; size < kDnsHeaderSize; ++size) {
    EXPECT_FALSE(parse_dns_query(DnsBytes(packet).first(size))) << size;
  }
  EXPECT_FALSE(parse_dns_query(make_query("db", {.flags = 0x8180})));
}

TEST(DnsQuery, EveryCutIsAFormatError) {
  const Bytes packet = make_query("db.example.com", {.edns_size = 1232});
  for (std::size_t size = kDnsHeaderSize; size < packet.size(); ++size) {
    const Bytes cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(rcode_of(cut), DnsRcode::formerr) << size;
  }
}

TEST(DnsQuery, OtherOpcodesAndClassesAreNotImplemented) {
  EXPECT_EQ(rcode_of(make_query("db", {.flags = 0x2000})), DnsRcode::notimp);
  EXPECT_EQ(rcode_of(make_query("db", {.flags = 0x2800})), DnsRcode::notimp);
  EXPECT_EQ(rcode_of(make_query("version.bind", {.type = 16, .klass = 3})), DnsRcode::notimp);
  EXPECT_EQ(rcode_of(make_query("db", {.klass = 255})), DnsRcode::noerror);
}

TEST(DnsQuery, ExactlyOneQuestionAndNoAnswers) {
  for (const std::size_t count : {5U, 7U, 9U}) {
    Bytes packet = make_query("db");
    packet[count] = count == 5 ? 2 : 1;
    EXPECT_EQ(rcode_of(packet), DnsRcode::formerr) << count;
  }
  Bytes none = make_query("db");
  none[5] = 0;
  EXPECT_EQ(rcode_of(none), DnsRcode::formerr);
}

TEST(DnsQuery, PointersInTheQuestionAreRefused) {
  for (const unsigned target : {0U, 12U, 13U, 0x3fffU}) {
    Bytes packet = make_query("");
    packet.resize(kDnsHeaderSize);
    put16(packet, 0xc000 | target);
    put16(packet, 1);
    put16(packet, 1);
    EXPECT_EQ(rcode_of(packet), DnsRcode::formerr) << target;
  }
}

// An additional record whose name is `pointer`, behind the question "db".
Bytes with_pointer(unsigned pointer) {
  Bytes packet = make_query("db");
  packet[11] = 1;
  put16(packet, 0xc000 | pointer);
  for (const unsigned value : {16U, 1U, 0U, 0U, 0U}) put16(packet, value);
  return packet;
}

TEST(DnsQuery, PointersMayOnlyLeadBackwards) {
  const unsigned own = static_cast<unsigned>(make_query("db").size());
  EXPECT_EQ(rcode_of(with_pointer(12)), DnsRcode::noerror);
  for (const unsigned target : {0U, 11U, own, own + 2, 0x3fffU}) {
    EXPECT_EQ(rcode_of(with_pointer(target)), DnsRcode::formerr) << target;
  }
}

TEST(DnsQuery, TrailingBytesAreAFormatError) {
  Bytes packet = make_query("db");
  packet.push_back(0);
  EXPECT_EQ(rcode_of(packet), DnsRcode::formerr);
}

TEST(DnsQuery, OneOptRecordOnly) {
  Bytes packet = make_query("db", {.edns_size = 1232});
  const Bytes opt(packet.end() - 11, packet.end());
  packet.insert(packet.end(), opt.begin(), opt.end());
  packet[11] = 2;
  EXPECT_EQ(rcode_of(packet), DnsRcode::formerr);
}

TEST(DnsQuery, OptionsMustFitTheirRecord) {
  Bytes packet = make_query("db", {.edns_size = 1232});
  packet.back() = 4;
  put16(packet, 10);
  put16(packet, 8);
  EXPECT_EQ(rcode_of(packet), DnsRcode::formerr);
  packet.back() = 0;
  EXPECT_EQ(rcode_of(packet), DnsRcode::noerror);
}

TEST(DnsQuery, LongestNameIsReadAndLongerIsNot) {
  const std::string label(63, 'x');
  const std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'x');
  EXPECT_EQ(rcode_of(make_query(longest)), DnsRcode::noerror);
  EXPECT_EQ(rcode_of(make_query(longest + 'x')), DnsRcode::formerr);
  EXPECT_EQ(rcode_of(make_query(std::string(64, 'x'))), DnsRcode::formerr);
}

TEST(DnsReply, EchoesTheQuestionWithItsCase) {
  const Reply reply =
      reply_to(make_query("dB.eXample", {.id = 7, .flags = 0x0110}), DnsRcode::nxdomain);
  EXPECT_EQ(reply.id, 7);
  EXPECT_EQ(reply.question, "dB.eXample.");
  EXPECT_EQ(reply.rcode, "NXDOMAIN");
  EXPECT_TRUE(reply.response);
  EXPECT_TRUE(reply.recursion_desired);
  EXPECT_TRUE(reply.recursion_available);
  EXPECT_TRUE(reply.checking_disabled);
  EXPECT_FALSE(reply.authoritative);
  EXPECT_FALSE(reply.truncated);
  EXPECT_FALSE(reply.edns);
}

TEST(DnsReply, AnswersEdnsWithEdns) {
  const Reply reply =
      reply_to(make_query("db", {.edns_size = 4096, .dnssec_ok = true}), DnsRcode::noerror);
  EXPECT_TRUE(reply.edns);
  EXPECT_EQ(reply.edns_size, kDnsOfferedUdpSize);
  EXPECT_TRUE(reply.dnssec_ok);
}

TEST(DnsReply, OtherEdnsVersionIsBadVersion) {
  const Bytes packet = make_query("db", {.edns_size = 1232, .edns_version = 1});
  EXPECT_EQ(rcode_of(packet), DnsRcode::badvers);
  const Reply reply = reply_to(packet, DnsRcode::badvers);
  EXPECT_EQ(reply.rcode, "NOERROR");
  EXPECT_EQ(reply.extended_rcode, 1U);
}

TEST(DnsReply, FormatErrorWithoutQuestionIsAMessage) {
  const Reply reply = reply_to(Bytes(kDnsHeaderSize, 0), DnsRcode::formerr);
  EXPECT_EQ(reply.rcode, "FORMERR");
  EXPECT_EQ(reply.question, "");
}

TEST(DnsReply, IsCutAtTheLimitAndMarked) {
  const Bytes packet = make_query("db", {.edns_size = 512});
  const auto query = parse_dns_query(packet);
  ASSERT_TRUE(query);
  std::array<std::uint8_t, kDnsMaximumUdpSize> buffer;
  DnsReply reply(*query, DnsRcode::noerror, query->reply_limit(DnsTransport::udp), buffer);
  const Bytes address{10, 0, 0, 1};
  std::size_t added = 0;
  while (reply.add_address(DnsType::a, 5, address)) ++added;
  const std::size_t size = reply.finish();
  EXPECT_LE(size, 512U);
  EXPECT_GT(size, 512U - 16U);
  const Reply read = read_reply(DnsBytes(buffer).first(size));
  EXPECT_TRUE(read.truncated);
  EXPECT_EQ(read.answers.size(), added);
}

TEST(DnsReply, PointsToNames) {
  const Bytes packet = make_query("2.0.18.172.in-addr.arpa", {.type = 12});
  const auto query = parse_dns_query(packet);
  ASSERT_TRUE(query);
  std::array<std::uint8_t, kDnsMinimumUdpSize> buffer;
  DnsReply reply(*query, DnsRcode::noerror, 512, buffer);
  EXPECT_TRUE(reply.add_pointer(5, *dns_key("shop-db-1.shop_default")));
  const Reply read = read_reply(DnsBytes(buffer).first(reply.finish()));
  EXPECT_THAT(read.answers, ElementsAre("PTR shop-db-1.shop_default."));
}

TEST(DnsReply, TruncationAloneSaysAskAgain) {
  const Bytes packet = make_query("db.example", {.edns_size = 1232});
  const auto query = parse_dns_query(packet);
  ASSERT_TRUE(query);
  std::array<std::uint8_t, kDnsMinimumUdpSize> buffer;
  const Reply read = read_reply(DnsBytes(buffer).first(write_truncated_dns_reply(*query, buffer)));
  EXPECT_TRUE(read.truncated);
  EXPECT_TRUE(read.edns);
  EXPECT_THAT(read.answers, IsEmpty());
}

TEST(DnsMatch, TakesOnlyTheReplyToTheQuestion) {
  const Bytes query = make_query("db.example", {.id = 99});
  EXPECT_TRUE(match_dns_reply(test::make_reply(query, 0), query));
  EXPECT_TRUE(match_dns_reply(test::make_reply(make_query("DB.Example", {.id = 99}), 0), query));
  EXPECT_FALSE(match_dns_reply(query, query));
  EXPECT_FALSE(match_dns_reply(test::make_reply(make_query("db.example", {.id = 98}), 0), query));
  EXPECT_FALSE(match_dns_reply(test::make_reply(make_query("dc.example", {.id = 99}), 0), query));
  // 'A' and 'a' as type numbers: letters are alike in names alone.
  EXPECT_FALSE(
      match_dns_reply(test::make_reply(make_query("db.example", {.type = 65, .id = 99}), 0),
                      make_query("db.example", {.type = 97, .id = 99})));
  EXPECT_FALSE(match_dns_reply(DnsBytes(query).first(5), query));
}

TEST(DnsMatch, SaysHowItWent) {
  const Bytes query = make_query("db.example");
  const auto failed = match_dns_reply(test::make_reply(query, 2), query);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->rcode, DnsRcode::servfail);
  EXPECT_FALSE(failed->truncated);
  const auto cut = match_dns_reply(test::make_reply(query, 0, {}, true), query);
  ASSERT_TRUE(cut);
  EXPECT_TRUE(cut->truncated);
}

TEST(DnsMatch, TakesAnErrorWithoutQuestion) {
  const Bytes query = make_query("db.example");
  Bytes reply(kDnsHeaderSize, 0);
  set_dns_id(reply, dns_id(query));
  reply[2] = 0x80;
  EXPECT_FALSE(match_dns_reply(reply, query));
  reply[3] = 4;
  EXPECT_TRUE(match_dns_reply(reply, query));
}

// Changed bytes must never do more than be refused; run under sanitizers this shows reads and
// writes out of bounds.
TEST(DnsHostile, ChangedPacketsAreReadWithinTheirBounds) {
  std::mt19937 random(1);
  std::array<std::uint8_t, kDnsMaximumUdpSize> buffer;
  for (int round = 0; round < 20000; ++round) {
    Bytes packet = round % 2 == 0 ? make_query("a.bc.def", {.edns_size = 1232}) : with_pointer(12);
    for (unsigned changes = random() % 4; changes > 0; --changes) {
      packet[random() % packet.size()] = static_cast<std::uint8_t>(random() & 0xff);
    }
    packet.resize(random() % (packet.size() + 1));
    const Bytes exact(packet);
    const auto query = parse_dns_query(exact);
    if (query) {
      const std::size_t size = write_dns_reply(*query, query->rcode, buffer);
      ASSERT_LE(size, kDnsMinimumUdpSize);
      if (exact.size() >= kDnsHeaderSize) match_dns_reply(exact, exact);
    }
  }
}

}  // namespace
}  // namespace network
