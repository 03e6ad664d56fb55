#include "network/dns_upstream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "tests/unit/network_dns/fake_upstream.hpp"
#include "tests/unit/network_dns/packets.hpp"

namespace network {
namespace {

using namespace std::chrono_literals;
using test::Bytes;
using test::FakeUpstream;
using test::make_query;
using test::make_reply;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr unsigned kServfail = 2;
constexpr unsigned kNxdomain = 3;
constexpr unsigned kRefused = 5;

FakeUpstream::Behaviour says(unsigned rcode, std::vector<std::string> addresses = {}) {
  return [rcode, addresses = std::move(addresses)](DnsBytes query, bool) -> std::optional<Bytes> {
    return make_reply(query, rcode, addresses);
  };
}

std::optional<Bytes> silence(DnsBytes, bool) { return std::nullopt; }

class DnsUpstreamTest : public ::testing::Test {
 protected:
  // What forwarding `query` to `servers` ends with; fails the test when it does not end.
  Bytes forward(DnsUpstream& upstream, const Bytes& query, std::vector<std::string> servers) {
    auto resolvers = std::make_shared<DnsResolvers>();
    resolvers->servers = std::move(servers);
    return forward(upstream, query, std::move(resolvers));
  }

  Bytes forward(DnsUpstream& upstream, const Bytes& query,
                std::shared_ptr<const DnsResolvers> resolvers) {
    std::optional<Bytes> result;
    upstream.forward(query, std::move(resolvers),
                     [&](DnsBytes reply) { result.emplace(reply.begin(), reply.end()); });
    EXPECT_FALSE(result) << "completed before forward() returned";
    io_.restart();
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (!result && std::chrono::steady_clock::now() < deadline) io_.run_one_for(100ms);
    EXPECT_TRUE(result) << "no completion";
    EXPECT_EQ(upstream.in_flight(), 0U);
    return result.value_or(Bytes());
  }

  UpstreamConfig config(std::uint16_t port) const {
    return {.resolv_conf = "/dev/null", .port = port, .timeout = 50ms, .max_in_flight = 4};
  }

  boost::asio::io_context io_;
};

TEST_F(DnsUpstreamTest, PassesTheReplyOn) {
  const FakeUpstream fake("127.0.0.1", 0, says(0, {"192.0.2.1"}));
  DnsUpstream upstream(io_, config(fake.port()));
  const Bytes query = make_query("www.Example.com", {.id = 4711, .edns_size = 1232});
  const auto reply = test::read_reply(forward(upstream, query, {"127.0.0.1"}));
  EXPECT_EQ(reply.id, 4711);
  EXPECT_EQ(reply.question, "www.Example.com.");
  EXPECT_THAT(reply.answers, ElementsAre("A 192.0.2.1"));
  EXPECT_EQ(fake.datagrams(), 1);
}

TEST_F(DnsUpstreamTest, QueryIsUnchangedButForItsId) {
  Bytes seen;
  const FakeUpstream fake("127.0.0.1", 0, [&](DnsBytes query, bool) -> std::optional<Bytes> {
    seen.assign(query.begin(), query.end());
    return make_reply(query, 0);
  });
  DnsUpstream upstream(io_, config(fake.port()));
  Bytes query = make_query("www.example.com",
                           {.type = 65, .flags = 0x0130, .edns_size = 1400, .dnssec_ok = true});
  forward(upstream, query, {"127.0.0.1"});
  set_dns_id(query, dns_id(seen));
  EXPECT_EQ(seen, query);
}

TEST_F(DnsUpstreamTest, IdsAreRandom) {
  std::set<std::uint16_t> ids;
  const FakeUpstream fake("127.0.0.1", 0, [&](DnsBytes query, bool) -> std::optional<Bytes> {
    ids.insert(dns_id(query));
    return make_reply(query, 0);
  });
  DnsUpstream upstream(io_, config(fake.port()));
  for (int i = 0; i < 20; ++i) forward(upstream, make_query("www.example.com"), {"127.0.0.1"});
  EXPECT_GE(ids.size(), 18U);
}

TEST_F(DnsUpstreamTest, NegativeAnswersArePassedOn) {
  const FakeUpstream fake("127.0.0.1", 0, says(kNxdomain));
  const FakeUpstream other("127.0.0.2", fake.port(), says(0, {"192.0.2.1"}));
  DnsUpstream upstream(io_, config(fake.port()));
  const auto reply =
      test::read_reply(forward(upstream, make_query("none.example"), {"127.0.0.1", "127.0.0.2"}));
  EXPECT_EQ(reply.rcode, "NXDOMAIN");
  EXPECT_EQ(other.datagrams(), 0);
}

TEST_F(DnsUpstreamTest, NextResolverAfterFailureAndSilence) {
  for (const auto& first : {says(kServfail), says(kRefused), FakeUpstream::Behaviour(silence)}) {
    const FakeUpstream fake("127.0.0.1", 0, first);
    const FakeUpstream second("127.0.0.2", fake.port(), says(0, {"192.0.2.2"}));
    DnsUpstream upstream(io_, config(fake.port()));
    const auto reply =
        test::read_reply(forward(upstream, make_query("www.example"), {"127.0.0.1", "127.0.0.2"}));
    EXPECT_THAT(reply.answers, ElementsAre("A 192.0.2.2"));
    EXPECT_EQ(fake.datagrams(), 1);
  }
}

TEST_F(DnsUpstreamTest, NextResolverAtOnceWhenNobodyListens) {
  const FakeUpstream fake("127.0.0.2", 0, says(0, {"192.0.2.2"}));
  UpstreamConfig patient = config(fake.port());
  patient.timeout = 1h;
  DnsUpstream upstream(io_, patient);
  const auto reply =
      test::read_reply(forward(upstream, make_query("www.example"), {"127.0.0.1", "127.0.0.2"}));
  EXPECT_THAT(reply.answers, ElementsAre("A 192.0.2.2"));
}

TEST_F(DnsUpstreamTest, LastFailureIsPassedOnWhenNoneDoesBetter) {
  const FakeUpstream fake("127.0.0.1", 0, says(kRefused));
  const FakeUpstream second("127.0.0.2", fake.port(), silence);
  DnsUpstream upstream(io_, config(fake.port()));
  const auto reply = test::read_reply(
      forward(upstream, make_query("www.example", {.id = 5}), {"127.0.0.1", "127.0.0.2"}));
  EXPECT_EQ(reply.rcode, "REFUSED");
  EXPECT_EQ(reply.id, 5);
}

TEST_F(DnsUpstreamTest, NoReplyAtAllIsEmpty) {
  const FakeUpstream fake("127.0.0.1", 0, silence);
  DnsUpstream upstream(io_, config(fake.port()));
  EXPECT_THAT(forward(upstream, make_query("www.example"), {"127.0.0.1"}), IsEmpty());
}

TEST_F(DnsUpstreamTest, ThreeResolversAreAskedAtMost) {
  const FakeUpstream fake("127.0.0.1", 0, says(kServfail));
  const FakeUpstream fourth("127.0.0.4", fake.port(), says(0));
  DnsUpstream upstream(io_, config(fake.port()));
  forward(upstream, make_query("www.example"),
          {"127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.4"});
  EXPECT_EQ(fake.datagrams(), 3);
  EXPECT_EQ(fourth.datagrams(), 0);
}

TEST_F(DnsUpstreamTest, TruncatedReplyIsFetchedOverTcp) {
  const std::vector<std::string> many(100, "192.0.2.9");
  const FakeUpstream fake("127.0.0.1", 0, [&](DnsBytes query, bool tcp) -> std::optional<Bytes> {
    return tcp ? make_reply(query, 0, many) : make_reply(query, 0, {"192.0.2.9"}, true);
  });
  DnsUpstream upstream(io_, config(fake.port()));
  const auto reply = test::read_reply(forward(upstream, make_query("big.example"), {"127.0.0.1"}));
  EXPECT_FALSE(reply.truncated);
  EXPECT_EQ(reply.answers.size(), 100U);
  EXPECT_EQ(fake.streams(), 1);
}

TEST_F(DnsUpstreamTest, TruncatedReplyStandsWhenTcpFails) {
  const auto truncate = [](DnsBytes query, bool tcp) -> std::optional<Bytes> {
    if (tcp) return std::nullopt;
    return make_reply(query, 0, {"192.0.2.9"}, true);
  };
  for (const bool with_tcp : {true, false}) {
    const FakeUpstream fake("127.0.0.1", 0, truncate, with_tcp);
    DnsUpstream upstream(io_, config(fake.port()));
    const auto reply =
        test::read_reply(forward(upstream, make_query("big.example"), {"127.0.0.1"}));
    EXPECT_TRUE(reply.truncated);
    EXPECT_EQ(reply.answers.size(), 1U);
  }
}

TEST_F(DnsUpstreamTest, ForgedRepliesArePassedOver) {
  const FakeUpstream fake("127.0.0.1", 0, [](DnsBytes query, bool) -> std::optional<Bytes> {
    Bytes forged = make_reply(query, 0, {"203.0.113.66"});
    set_dns_id(forged, static_cast<std::uint16_t>(dns_id(forged) + 1));
    return forged;
  });
  DnsUpstream upstream(io_, config(fake.port()));
  EXPECT_THAT(forward(upstream, make_query("www.example"), {"127.0.0.1"}), IsEmpty());
}

TEST_F(DnsUpstreamTest, HostResolversServeWhenNoneAreNamed) {
  const os::TempDir directory;
  const FakeUpstream fake("127.0.0.3", 0, says(0, {"192.0.2.3"}));
  UpstreamConfig host = config(fake.port());
  host.resolv_conf = directory.path() + "/resolv.conf";
  os::write_file_atomic(host.resolv_conf, "nameserver 127.0.0.3\n");
  DnsUpstream upstream(io_, host);
  const std::vector<std::string> replies{"A 192.0.2.3"};
  EXPECT_EQ(test::read_reply(forward(upstream, make_query("www.example"), nullptr)).answers,
            replies);
  // The embedded server's own address would be a loop.
  EXPECT_EQ(test::read_reply(forward(upstream, make_query("a.example"), {"127.0.0.11"})).answers,
            replies);
}

TEST_F(DnsUpstreamTest, SocketsComeFromTheFactory) {
  const FakeUpstream fake("127.0.0.1", 0, says(0, {"192.0.2.1"}));
  DnsUpstream upstream(io_, config(fake.port()));
  int opened = 0;
  auto resolvers = std::make_shared<DnsResolvers>();
  resolvers->servers = {"127.0.0.1"};
  resolvers->open_socket = [&](int domain, int type) {
    ++opened;
    return os::UniqueFd(::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  };
  EXPECT_FALSE(forward(upstream, make_query("www.example"), resolvers).empty());
  EXPECT_EQ(opened, 1);
  resolvers->open_socket = [](int, int) -> os::UniqueFd { throw os::Error(EMFILE, "socket"); };
  EXPECT_THAT(forward(upstream, make_query("www.example"), resolvers), IsEmpty());
}

TEST_F(DnsUpstreamTest, TooManyUnderWayAreRefused) {
  const FakeUpstream fake("127.0.0.1", 0, silence);
  UpstreamConfig patient = config(fake.port());
  patient.timeout = 1h;
  int completed = 0;
  {
    DnsUpstream upstream(io_, patient);
    auto resolvers = std::make_shared<DnsResolvers>();
    resolvers->servers = {"127.0.0.1"};
    for (int i = 0; i < 6; ++i) {
      upstream.forward(make_query("www.example"), resolvers, [&](DnsBytes reply) {
        EXPECT_TRUE(reply.empty());
        ++completed;
      });
    }
    io_.run_for(20ms);
    EXPECT_EQ(completed, 2);
    EXPECT_EQ(upstream.in_flight(), 4U);
  }
  io_.restart();
  io_.run_for(5s);
  EXPECT_EQ(completed, 2) << "completed after the end";
  EXPECT_TRUE(io_.stopped()) << "something still waits";
}

}  // namespace
}  // namespace network
