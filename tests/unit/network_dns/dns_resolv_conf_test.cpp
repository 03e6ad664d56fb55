#include "network/dns_resolv_conf.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/os/file.hpp"

namespace network {
namespace {

using ::testing::ElementsAre;

std::string text_of(const DnsServerAddress& server) {
  char text[INET6_ADDRSTRLEN] = {};
  if (server.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&server.storage);
    ::inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4->sin_port));
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&server.storage);
  ::inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
  return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6->sin6_port)) +
         (v6->sin6_scope_id == 0 ? "" : "%" + std::to_string(v6->sin6_scope_id));
}

std::vector<std::string> parse(std::string_view text) {
  std::vector<std::string> result;
  for (const auto& server : parse_resolv_conf(text, 53)) result.push_back(text_of(server));
  return result;
}

TEST(ResolvConfText, NamesServers) {
  EXPECT_THAT(parse("# comment\nsearch corp.example\nnameserver 192.0.2.1\n"
                    "nameserver\t2001:db8::1  # why\r\noptions ndots:1\n"),
              ElementsAre("192.0.2.1:53", "[2001:db8::1]:53"));
}

TEST(ResolvConfText, ThreeServersCountEachOnce) {
  EXPECT_THAT(parse("nameserver 10.0.0.1\nnameserver 10.0.0.1\nnameserver 10.0.0.2\n"
                    "nameserver 10.0.0.3\nnameserver 10.0.0.4"),
              ElementsAre("10.0.0.1:53", "10.0.0.2:53", "10.0.0.3:53"));
}

TEST(ResolvConfText, MalformedLinesArePassedOver) {
  EXPECT_THAT(parse("nameserver\nnameserver dns.example\nnameserver 10.0.0.300\n"
                    "nameservers 10.0.0.1\n;nameserver 10.0.0.2\nnameserver 1.2.3.4%lo\n"
                    "nameserver 10.0.0.3\n"),
              ElementsAre("10.0.0.3:53"));
}

TEST(ResolvConfText, WithoutServersItIsTheLocalMachine) {
  EXPECT_THAT(parse(""), ElementsAre("127.0.0.1:53"));
  EXPECT_THAT(parse("search example"), ElementsAre("127.0.0.1:53"));
}

TEST(ResolvConfText, ScopeIsAnInterface) {
  EXPECT_THAT(parse("nameserver fe80::1%lo\n"), ElementsAre("[fe80::1]:53%1"));
  EXPECT_THAT(parse("nameserver fe80::1%none0\nnameserver 10.0.0.1\n"), ElementsAre("10.0.0.1:53"));
}

TEST(ResolvConfFile, IsReadAndMayBeMissing) {
  const os::TempDir directory;
  const std::string path = directory.path() + "/resolv.conf";
  ResolvConf missing(path, 53);
  ASSERT_EQ(missing.servers().size(), 1U);
  EXPECT_EQ(text_of(missing.servers().front()), "127.0.0.1:53");
  os::write_file_atomic(path, "nameserver 192.0.2.7\n");
  ResolvConf present(path, 5353);
  ASSERT_EQ(present.servers().size(), 1U);
  EXPECT_EQ(text_of(present.servers().front()), "192.0.2.7:5353");
}

TEST(ResolvConfFile, ChangeIsSeenAndLossIsNot) {
  const os::TempDir directory;
  const std::string path = directory.path() + "/resolv.conf";
  os::write_file_atomic(path, "nameserver 192.0.2.7\n");
  ResolvConf file(path, 53, std::chrono::milliseconds(0));
  EXPECT_EQ(text_of(file.servers().front()), "192.0.2.7:53");
  os::write_file_atomic(path, "nameserver 192.0.2.8\n");
  EXPECT_EQ(text_of(file.servers().front()), "192.0.2.8:53");
  std::filesystem::remove(path);
  EXPECT_EQ(text_of(file.servers().front()), "192.0.2.8:53");
  std::filesystem::create_directory(path);
  EXPECT_EQ(text_of(file.servers().front()), "192.0.2.8:53");
}

}  // namespace
}  // namespace network
