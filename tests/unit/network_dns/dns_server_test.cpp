#include "network/dns_server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "runtime/os/error.hpp"
#include "tests/unit/network_dns/fake_upstream.hpp"
#include "tests/unit/network_dns/packets.hpp"

namespace network {
namespace {

using namespace std::chrono_literals;
using test::bound_socket;
using test::Bytes;
using test::FakeUpstream;
using test::framed;
using test::make_query;
using test::make_reply;
using test::Reply;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// A socket of a container's program, connected to the server.
class Client {
 public:
  Client(int type, std::uint16_t port) : fd_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    os::check(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name),
              [] { return std::string("connect"); });
  }

  void send(const Bytes& bytes) const {
    ASSERT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void end() const { ::shutdown(fd_.get(), SHUT_WR); }
  // Takes what has come; true when there was something, or the end.
  bool receive() {
    Bytes buffer(kDnsMaximumMessageSize);
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0) return errno != EAGAIN && (ended_ = true);
    if (size == 0) ended_ = true;
    received_.insert(received_.end(), buffer.begin(), buffer.begin() + size);
    return true;
  }
  bool ended() const { return ended_; }
  Bytes take() { return std::exchange(received_, {}); }
  // The first whole message of a stream.
  std::optional<Bytes> take_message() {
    if (received_.size() < 2 || received_.size() - 2 < dns_id(received_)) return std::nullopt;
    const auto end = received_.begin() + 2 + dns_id(received_);
    const Bytes message(received_.begin() + 2, end);
    received_.erase(received_.begin(), end);
    return message;
  }

 private:
  os::UniqueFd fd_;
  Bytes received_;
  bool ended_ = false;
};

class DnsServerTest : public ::testing::Test {
 protected:
  DnsServerTest()
      : upstream_("127.0.0.1", 0,
                  [](DnsBytes query, bool tcp) -> std::optional<Bytes> {
                    const std::size_t count = query[kDnsHeaderSize + 1] == 'B' ? 200 : 1;
                    if (count > 1 && !tcp) return make_reply(query, 0, {"192.0.2.1"}, true);
                    return make_reply(query, 0, std::vector<std::string>(count, "192.0.2.1"));
                  }),
        server_(std::make_unique<DnsServer>(
            io_, UpstreamConfig{.resolv_conf = "/dev/null", .port = upstream_.port()})) {
    server_->zone().set_network("net", {"172.18.0.0/16"});
    server_->zone().set("net", "db", {"shop-db-1", {"db"}, {"172.18.0.2"}});
    for (int i = 0; i < 100; ++i) {
      const std::string number = std::to_string(i);
      server_->zone().set("net", number, {"many-" + number, {"many"}, {"172.18.1." + number}});
    }
    add("one", {.view = {.networks = {"net"}}, .resolvers = {}});
  }

  void add(const std::string& id, DnsPolicy policy) {
    udp_port_ = tcp_port_ = 0;
    auto udp = bound_socket(SOCK_DGRAM, "127.0.0.1", udp_port_);
    auto tcp = bound_socket(SOCK_STREAM, "127.0.0.1", tcp_port_);
    server_->add(id, std::move(udp), std::move(tcp), std::move(policy));
  }

  template <class Condition>
  bool run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      io_.restart();
      io_.run_one_for(1ms);
    }
    return true;
  }

  Reply ask(const Bytes& query) {
    Client client(SOCK_DGRAM, udp_port_);
    client.send(query);
    EXPECT_TRUE(run_until([&] { return client.receive(); })) << "no reply";
    return test::read_reply(client.take());
  }

  std::optional<Bytes> next_message(Client& client) {
    std::optional<Bytes> message;
    EXPECT_TRUE(run_until([&] {
      client.receive();
      message = client.take_message();
      return message || client.ended();
    }));
    return message;
  }

  boost::asio::io_context io_;
  FakeUpstream upstream_;
  std::unique_ptr<DnsServer> server_;
  std::uint16_t udp_port_ = 0;
  std::uint16_t tcp_port_ = 0;
};

TEST_F(DnsServerTest, AnswersOverUdp) {
  const Reply reply = ask(make_query("db", {.id = 77}));
  EXPECT_EQ(reply.id, 77);
  EXPECT_THAT(reply.answers, ElementsAre("A 172.18.0.2"));
  EXPECT_EQ(upstream_.datagrams(), 0);
}

TEST_F(DnsServerTest, ForwardsOverUdp) {
  const Reply reply = ask(make_query("www.example", {.id = 78}));
  EXPECT_EQ(reply.id, 78);
  EXPECT_THAT(reply.answers, ElementsAre("A 192.0.2.1"));
}

TEST_F(DnsServerTest, BigReplyOfAnUpstreamIsCutToWhatTheClientTakes) {
  const Reply small = ask(make_query("Big.example"));
  EXPECT_TRUE(small.truncated);
  const Reply large = ask(make_query("Big.example", {.edns_size = 4096}));
  EXPECT_FALSE(large.truncated);
  EXPECT_EQ(large.answers.size(), 200U);
}

TEST_F(DnsServerTest, UpstreamThatIsDownIsServfail) {
  server_->update("one", {.view = {.networks = {"net"}},
                          .resolvers = {.servers = {"127.0.0.9"}, .open_socket = {}}});
  EXPECT_EQ(ask(make_query("www.example")).rcode, "SERVFAIL");
}

TEST_F(DnsServerTest, PolicyChangesWithTheNextQuery) {
  DnsPolicy internal{.view = {.networks = {"net"}, .links = {}, .forward = false}, .resolvers = {}};
  internal.view.add_link("sql", "db");
  server_->update("one", std::move(internal));
  EXPECT_EQ(ask(make_query("www.example")).rcode, "SERVFAIL");
  EXPECT_THAT(ask(make_query("sql")).answers, ElementsAre("A 172.18.0.2"));
  EXPECT_EQ(upstream_.datagrams(), 0);
  EXPECT_THROW(server_->update("other", {}), os::Error);
}

TEST_F(DnsServerTest, EachContainerHasItsOwnView) {
  const std::uint16_t first = udp_port_;
  add("two", {});
  EXPECT_EQ(ask(make_query("db")).rcode, "NXDOMAIN");
  udp_port_ = first;
  EXPECT_EQ(ask(make_query("db")).rcode, "NOERROR");
}

TEST_F(DnsServerTest, ManyDatagramsAtOnceAreAllAnswered) {
  Client client(SOCK_DGRAM, udp_port_);
  constexpr std::size_t kQueries = 150;
  for (std::size_t i = 0; i < kQueries; ++i) {
    client.send(make_query(i % 10 == 0 ? "www.example" : "db"));
  }
  std::size_t replies = 0;
  EXPECT_TRUE(run_until([&] {
    while (client.receive()) {
      test::read_reply(client.take());
      ++replies;
    }
    return replies == kQueries;
  })) << replies;
}

TEST_F(DnsServerTest, HostileDatagramsDoNotStopIt) {
  Client client(SOCK_DGRAM, udp_port_);
  client.send({1});
  client.send(Bytes(kDnsHeaderSize, 0xff));
  client.send(Bytes(20000, 0));
  client.send(make_query("db", {.flags = 0x8000}));
  client.send(Bytes(kDnsHeaderSize, 0));
  client.send(make_query("db"));
  ASSERT_TRUE(run_until([&] { return client.receive(); }));
  EXPECT_EQ(test::read_reply(client.take()).rcode, "FORMERR");
  ASSERT_TRUE(run_until([&] { return client.receive(); }));
  EXPECT_EQ(test::read_reply(client.take()).rcode, "NOERROR");
}

TEST_F(DnsServerTest, AnswersOverTcpOneQueryAfterTheOther) {
  Client client(SOCK_STREAM, tcp_port_);
  Bytes both = framed(make_query("many", {.id = 1}));
  const Bytes second = framed(make_query("db", {.id = 2}));
  both.insert(both.end(), second.begin(), second.end());
  client.send(Bytes(both.begin(), both.end() - 5));
  auto message = next_message(client);
  ASSERT_TRUE(message);
  const Reply reply = test::read_reply(*message);
  EXPECT_EQ(reply.id, 1);
  EXPECT_EQ(reply.answers.size(), 100U);
  client.send(Bytes(both.end() - 5, both.end()));
  message = next_message(client);
  ASSERT_TRUE(message);
  EXPECT_EQ(test::read_reply(*message).id, 2);
}

TEST_F(DnsServerTest, ForwardsOverTcpAndSendsAllBeforeTheEnd) {
  Client client(SOCK_STREAM, tcp_port_);
  client.send(framed(make_query("Big.example", {.id = 1})));
  client.send(framed(make_query("db", {.id = 2})));
  client.end();
  std::vector<std::size_t> answers;
  while (const auto message = next_message(client)) {
    answers.push_back(test::read_reply(*message).answers.size());
  }
  EXPECT_THAT(answers, UnorderedElementsAre(1U, 200U));
  EXPECT_TRUE(client.ended());
}

TEST_F(DnsServerTest, PipelinePastTheLimitsIsAnsweredWhole) {
  Client client(SOCK_STREAM, tcp_port_);
  constexpr std::size_t kQueries = 200;
  for (std::size_t i = 0; i < kQueries; ++i) {
    client.send(framed(make_query(i % 2 == 0 ? "many" : "www.example")));
  }
  client.end();
  std::size_t replies = 0;
  while (next_message(client)) ++replies;
  EXPECT_EQ(replies, kQueries);
}

TEST_F(DnsServerTest, MalformedLengthEndsTheConnection) {
  for (const Bytes& bytes : {Bytes{0, 0}, Bytes{0, 11}, Bytes{0xff, 0xff}}) {
    Client client(SOCK_STREAM, tcp_port_);
    client.send(bytes);
    EXPECT_TRUE(run_until([&] {
      client.receive();
      return client.ended();
    }));
    EXPECT_THAT(client.take(), IsEmpty());
  }
}

TEST_F(DnsServerTest, ConnectionsPastTheLimitWaitTheirTurn) {
  std::vector<Client> clients;
  for (int i = 0; i < 64; ++i) clients.emplace_back(SOCK_STREAM, tcp_port_);
  for (Client& client : clients) client.send(framed(make_query("db")));
  for (Client& client : clients) ASSERT_TRUE(next_message(client));
  Client late(SOCK_STREAM, tcp_port_);
  late.send(framed(make_query("db")));
  io_.restart();
  io_.run_for(20ms);
  EXPECT_FALSE(late.receive());
  clients.pop_back();
  EXPECT_TRUE(next_message(late));
}

TEST_F(DnsServerTest, RemoveClosesEverythingAndForgetsWhatIsUnderWay) {
  Client datagrams(SOCK_DGRAM, udp_port_);
  Client stream(SOCK_STREAM, tcp_port_);
  stream.send(framed(make_query("db")));
  ASSERT_TRUE(next_message(stream));
  datagrams.send(make_query("www.example"));
  stream.send(framed(make_query("www.example")));
  io_.restart();
  io_.poll();
  server_->remove("one");
  server_->remove("one");
  EXPECT_TRUE(run_until([&] {
    stream.receive();
    return stream.ended();
  }));
  EXPECT_THROW(Client(SOCK_STREAM, tcp_port_), os::Error);
}

TEST_F(DnsServerTest, EndsWithQueriesUnderWay) {
  Client client(SOCK_DGRAM, udp_port_);
  client.send(make_query("www.example"));
  io_.restart();
  io_.poll();
  server_.reset();
  io_.restart();
  io_.run_for(5s);
  EXPECT_TRUE(io_.stopped()) << "something still waits";
}

TEST_F(DnsServerTest, AddReplacesAnEndpointOfTheSameId) {
  add("one", {});
  EXPECT_EQ(ask(make_query("db")).rcode, "NXDOMAIN");
}

}  // namespace
}  // namespace network
