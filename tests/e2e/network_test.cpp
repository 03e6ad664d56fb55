// Networks, names and published ports (Compose A2.P, A7, D1–D5).
#include <nftables/libnftables.h>

#include <memory>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class NetworkTest : public support::StackTest {
 protected:
  // The addresses that a name has for a service.
  std::vector<std::string> resolve(const std::string& from, const std::string& name,
                                   const std::string& type = "A") {
    const Output output = probe(from, {"resolve", name, type});
    std::vector<std::string> lines = split_lines(output.out);
    if (!lines.empty()) lines.erase(lines.begin());
    return lines;
  }
  std::string address(const std::string& service, const std::string& interface = "eth0") {
    for (const std::string& line : split_lines(ask(service, {"addresses"})))
      if (line.rfind(interface + " ", 0) == 0 && line.find(':') == std::string::npos)
        return line.substr(interface.size() + 1);
    return {};
  }
  // A server is ready a moment after its container has started.
  bool answers(const std::string& host, int port) {
    return wait_until([&] { return http_get(host, port).has_value(); }, seconds(10));
  }
  static void change_firewall(const char* command) {
    const std::unique_ptr<nft_ctx, decltype(&::nft_ctx_free)> context(
        ::nft_ctx_new(NFT_CTX_DEFAULT), &::nft_ctx_free);
    ASSERT_EQ(::nft_run_cmd_from_buffer(context.get(), command), 0) << command;
  }
  bool reaches(const std::string& from, const std::string& host, const std::string& port = "80") {
    return wait_until([&] { return probe(from, {"connect", host, port}).code == 0; }, seconds(5));
  }
};

constexpr const char* kTwoServers = R"(
services:
  a: {image: IMAGE, command: probe http 80 a}
  b: {image: IMAGE, command: probe http 80 b}
)";

TEST_F(NetworkTest, ServicesReachEachOtherByName) {
  manifest(kTwoServers);
  up();
  EXPECT_TRUE(reaches("a", "b"));
  EXPECT_THAT(ask("a", {"get", "b", "80"}), HasSubstr("name=b peer=" + address("a")));
}

TEST_F(NetworkTest, BothTakeTheSamePort) {
  manifest(kTwoServers);
  up();
  EXPECT_TRUE(reaches("a", "127.0.0.1"));
  EXPECT_THAT(ask("a", {"get", "127.0.0.1", "80"}), HasSubstr("name=a"));
  EXPECT_THAT(ask("b", {"get", "127.0.0.1", "80"}), HasSubstr("name=b"));
}

TEST_F(NetworkTest, TheHostReachesContainersByAddress) {
  manifest(kTwoServers);
  up();
  EXPECT_TRUE(answers(address("a"), 80));
}

TEST_F(NetworkTest, InsideAreLoopbackAndOneInterfaceANetwork) {
  manifest(R"(
services:
  a: {image: IMAGE, networks: [one, two]}
networks: {one: , two: }
)");
  up();
  const std::string all = ask("a", {"addresses"});
  EXPECT_THAT(all, AllOf(HasSubstr("lo 127.0.0.1"), HasSubstr("eth0 "), HasSubstr("eth1 "),
                         Not(HasSubstr("eth2"))));
}

// D1.6: different networks cannot reach each other.
TEST_F(NetworkTest, NetworksAreKeptApart) {
  manifest(R"(
services:
  a: {image: IMAGE, command: probe http 80, networks: [one]}
  b: {image: IMAGE, command: probe http 80, networks: [two]}
  both: {image: IMAGE, networks: [one, two]}
networks: {one: , two: }
)");
  up();
  EXPECT_TRUE(reaches("both", "a"));
  EXPECT_TRUE(reaches("both", "b"));
  EXPECT_THAT(resolve("a", "b"), IsEmpty());
  EXPECT_NE(probe("a", {"connect", address("b"), "80", "700"}).code, 0);
}

// A7: aliases, ipv4_address, internal, mac_address, interface_name.
TEST_F(NetworkTest, AliasesNameAServiceOnTheirNetworkOnly) {
  manifest(R"(
services:
  a: {image: IMAGE, networks: [one, two]}
  b: {image: IMAGE, networks: {one: {aliases: [other]}}}
  c: {image: IMAGE, networks: [two]}
networks: {one: , two: }
)");
  up();
  EXPECT_EQ(resolve("a", "other").size(), 1U);
  EXPECT_EQ(resolve("a", "OTHER").size(), 1U) << "names ignore case";
  EXPECT_THAT(resolve("c", "other"), IsEmpty());
}

TEST_F(NetworkTest, FixedAddressesAreKept) {
  manifest(R"(
services:
  a: {image: IMAGE, networks: {n: {ipv4_address: 10.211.7.9}}}
networks: {n: {ipam: {config: [{subnet: 10.211.7.0/24, gateway: 10.211.7.254}]}}}
)");
  up();
  EXPECT_EQ(address("a"), "10.211.7.9");
  EXPECT_THAT(ask("a", {"cat", "/proc/net/route"}), HasSubstr("FE07D30A")) << "the gateway";
}

TEST_F(NetworkTest, RefusesAnAddressOutsideTheSubnet) {
  manifest(R"(
services: {a: {image: IMAGE, networks: {n: {ipv4_address: 10.212.0.9}}}}
networks: {n: {ipam: {config: [{subnet: 10.211.7.0/24}]}}}
)");
  EXPECT_THAT(stack({"up", "-d"}), ExitsWith(1));
}

TEST_F(NetworkTest, AddressesOutliveRecreation) {
  manifest(kTwoServers);
  up();
  const std::string a = address("a"), b = address("b");
  up({"--force-recreate"});
  EXPECT_EQ(address("a"), a);
  EXPECT_EQ(address("b"), b);
}

TEST_F(NetworkTest, InternalHasNoWayOut) {
  manifest(R"(
services:
  a: {image: IMAGE, command: probe http 80, networks: [n]}
  b: {image: IMAGE, networks: [n]}
networks: {n: {internal: true}}
)");
  up();
  EXPECT_TRUE(reaches("b", "a"));
  EXPECT_THAT(split_lines(ask("a", {"cat", "/proc/net/route"})),
              Not(Contains(HasSubstr("eth0\t00000000\t"))));
  EXPECT_THAT(probe("a", {"resolve", "example.org"}).out, HasSubstr("rcode=2"))
      << "SERVFAIL (D5.7)";
}

TEST_F(NetworkTest, Ipv6IsAUniqueLocalAddress) {
  manifest(R"(
services:
  a: {image: IMAGE, command: probe http 80 a}
  b: {image: IMAGE}
networks: {default: {enable_ipv6: true}}
)");
  up();
  const std::vector<std::string> found = resolve("b", "a", "AAAA");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].substr(0, 2), "fd");
  EXPECT_TRUE(reaches("b", found[0]));
}

// ---- D3: network modes

TEST_F(NetworkTest, NoneHasLoopbackOnly) {
  manifest("services: {a: {image: IMAGE, network_mode: none}}\n");
  up();
  EXPECT_THAT(ask("a", {"addresses"}), Not(HasSubstr("eth")));
  EXPECT_THAT(ask("a", {"addresses"}), HasSubstr("lo 127.0.0.1"));
}

TEST_F(NetworkTest, HostSharesTheHostsNetwork) {
  manifest("services: {a: {image: IMAGE, network_mode: host}}\n");
  up();
  EXPECT_THAT(ask("a", {"namespaces"}),
              HasSubstr(std::filesystem::read_symlink("/proc/self/ns/net").string()));
}

TEST_F(NetworkTest, AServicesNetworkCanBeShared) {
  manifest(R"(
services:
  a: {image: IMAGE, command: probe http 80 a}
  b: {image: IMAGE, network_mode: "service:a"}
)");
  up();
  EXPECT_TRUE(reaches("b", "127.0.0.1"));
  EXPECT_EQ(ask("b", {"hostname"}), ask("a", {"hostname"}));
}

// ---- D5: names

TEST_F(NetworkTest, NamesOfAContainer) {
  manifest(R"(
services:
  a: {image: IMAGE}
  b: {image: IMAGE, hostname: custom}
  c: {image: IMAGE, container_name: own-name}
)");
  up();
  const std::string b = address("b");
  for (const std::string& name : {std::string("b"), std::string("custom"), project() + "-b-1",
                                  id("b"), "b." + project() + "_default"})
    EXPECT_THAT(resolve("a", name), Contains(b)) << name;
  EXPECT_THAT(resolve("a", "own-name"), Contains(address("c")));
  EXPECT_THAT(resolve("a", project() + "-c-1"), IsEmpty()) << "D5.2";
}

TEST_F(NetworkTest, ReplicasAnswerInTurn) {
  manifest("services: {a: {image: IMAGE}, b: {image: IMAGE, scale: 3}}\n");
  up();
  std::set<std::string> first;
  for (int i = 0; i < 30; ++i) {
    const std::vector<std::string> all = resolve("a", "b");
    ASSERT_EQ(all.size(), 3U);
    first.insert(all.front());
  }
  EXPECT_EQ(first.size(), 3U);
}

TEST_F(NetworkTest, AaaaOfAKnownNameIsEmptyAndNoError) {
  manifest(kTwoServers);
  up();
  EXPECT_EQ(ask("a", {"resolve", "b", "AAAA"}), "rcode=0 answers=0\n");
  EXPECT_EQ(ask("a", {"resolve", "b", "MX"}), "rcode=0 answers=0\n");
}

TEST_F(NetworkTest, AddressesHaveNames) {
  manifest(kTwoServers);
  up();
  std::string reversed;
  std::string rest = address("b");
  while (!rest.empty()) {
    const std::size_t dot = rest.rfind('.');
    reversed += rest.substr(dot == std::string::npos ? 0 : dot + 1) + ".";
    rest = dot == std::string::npos ? "" : rest.substr(0, dot);
  }
  EXPECT_THAT(ask("a", {"resolve", reversed + "in-addr.arpa", "PTR"}),
              HasSubstr(project() + "-b-1." + project() + "_default"));
}

TEST_F(NetworkTest, AnswersOverTcpToo) {
  manifest(kTwoServers);
  up();
  EXPECT_THAT(ask("a", {"resolve", "b", "A", "tcp"}), HasSubstr(address("b")));
}

TEST_F(NetworkTest, ASingleLabelNeverLeavesTheStack) {
  manifest(kTwoServers);
  up();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(probe("a", {"resolve", "no-such-host"}).out, "rcode=3 answers=0\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(3)) << "nobody was asked";
}

TEST_F(NetworkTest, StoppedContainersHaveNoName) {
  manifest(kTwoServers);
  up();
  must({"stop", "b"});
  EXPECT_THAT(resolve("a", "b"), IsEmpty());
  must({"start", "b"});
  EXPECT_EQ(resolve("a", "b").size(), 1U);
}

// D5.9
TEST_F(NetworkTest, AnApplicationMayTakePort53Itself) {
  manifest("services: {dns: {image: IMAGE, command: probe udp 53}, b: {image: IMAGE}}\n");
  up();
  EXPECT_TRUE(wait_until(
      [&] {
        return probe("b", {"datagram", "dns", "53", "hello"}).out.find("hello") !=
               std::string::npos;
      },
      seconds(5)));
  EXPECT_EQ(resolve("dns", "b").size(), 1U);
}

// D4
TEST_F(NetworkTest, FilesOfTheNetwork) {
  manifest(R"(
services:
  a:
    image: IMAGE
    hostname: box
    domainname: example.test
    extra_hosts: ["other:10.1.2.3", "up=host-gateway"]
    dns_search: [example.test]
    dns_opt: ["ndots:2"]
)");
  up();
  EXPECT_EQ(ask("a", {"cat", "/etc/hostname"}), "box\n");
  EXPECT_THAT(ask("a", {"cat", "/etc/hosts"}),
              AllOf(HasSubstr("127.0.0.1\tlocalhost"), HasSubstr("10.1.2.3\tother"),
                    HasSubstr("\tup"), HasSubstr(address("a") + "\tbox.example.test box")));
  EXPECT_THAT(ask("a", {"cat", "/etc/resolv.conf"}),
              AllOf(HasSubstr("nameserver 127.0.0.11"), HasSubstr("search example.test"),
                    HasSubstr("ndots:2")));
}

// ---- D2: published ports

TEST_F(NetworkTest, APublishedPortAnswersOnEveryLoopback) {
  const int port = support::free_port();
  manifest("services: {web: {image: IMAGE, command: probe http 80 web, ports: ['" +
           std::to_string(port) + ":80']}}\n");
  up();
  ASSERT_TRUE(answers("127.0.0.1", port));
  EXPECT_THAT(http_get("127.0.0.1", port), Optional(HasSubstr("name=web")));
  if (support::can_connect("::1", port)) {
    EXPECT_THAT(http_get("::1", port), Optional(HasSubstr("name=web")));
  } else {
    EXPECT_FALSE(std::filesystem::exists("/proc/net/if_inet6"))
        << "::1 is there and does not answer";
  }
}

TEST_F(NetworkTest, APublishedPortAnswersContainersThroughTheHost) {
  const int port = support::free_port();
  manifest(
      "services: {web: {image: IMAGE, command: probe http 80 web, extra_hosts: "
      "['up=host-gateway'], ports: ['" +
      std::to_string(port) + ":80']}}\n");
  up();
  ASSERT_TRUE(answers("127.0.0.1", port));
  const std::string hosts = ask("web", {"cat", "/etc/hosts"});
  std::string gateway;
  for (const std::string& line : split_lines(hosts))
    if (line.find("\tup") != std::string::npos) gateway = line.substr(0, line.find('\t'));
  EXPECT_TRUE(reaches("web", gateway, std::to_string(port))) << "hairpin (D2.2)";
}

TEST_F(NetworkTest, UdpIsPublishedToo) {
  const int port = support::free_port();
  manifest("services: {web: {image: IMAGE, command: probe udp 53, ports: ['" +
           std::to_string(port) + ":53/udp']}}\n");
  up();
  EXPECT_TRUE(wait_until(
      [&] {
        const auto reply = support::exchange_datagram("127.0.0.1", port, "hello");
        return reply && reply->find("hello") != std::string::npos;
      },
      seconds(10)));
}

TEST_F(NetworkTest, HostIpRestricts) {
  const int port = support::free_port();
  manifest("services: {web: {image: IMAGE, command: probe http 80, ports: ['127.0.0.1:" +
           std::to_string(port) + ":80']}}\n");
  up();
  EXPECT_TRUE(answers("127.0.0.1", port));
  EXPECT_FALSE(support::can_connect("127.0.0.2", port));
}

TEST_F(NetworkTest, EphemeralPortsAndRanges) {
  const int first = support::free_port();
  support::free_port();
  manifest("services: {web: {image: IMAGE, command: probe http 80, scale: 2, ports: ['80', '" +
           std::to_string(first) + "-" + std::to_string(first + 9) + ":80']}}\n");
  up();
  std::set<int> ports;
  for (const auto& one : containers())
    for (const auto& publisher : one.at("Publishers"))
      if (publisher.value("URL", "") == "0.0.0.0")
        ports.insert(publisher.at("PublishedPort").get<int>());
  EXPECT_EQ(ports.size(), 4U);
  for (const int port : ports) EXPECT_TRUE(answers("127.0.0.1", port)) << port;
}

TEST_F(NetworkTest, APortIsGivenBackAtStop) {
  const int port = support::free_port();
  manifest("services: {web: {image: IMAGE, command: probe http 80, ports: ['" +
           std::to_string(port) + ":80']}}\n");
  up();
  ASSERT_TRUE(answers("127.0.0.1", port));
  must({"stop"});
  EXPECT_FALSE(support::can_connect("127.0.0.1", port));
  EXPECT_NO_THROW(support::listen_on(port));
  must({"start"});
  EXPECT_TRUE(answers("127.0.0.1", port));
}

TEST_F(NetworkTest, SettingsOfOneEndpoint) {
  manifest(R"(
services:
  a:
    image: IMAGE
    networks:
      one:
        interface_name: lan7
        mac_address: 02:42:0a:01:02:03
        link_local_ips: [169.254.8.8]
        driver_opts:
          com.docker.network.endpoint.sysctls: net.ipv4.conf.IFNAME.log_martians=1
networks: {one: }
)");
  up();
  EXPECT_THAT(ask("a", {"addresses"}), HasSubstr("lan7 169.254.8.8"));
  EXPECT_EQ(must({"exec", "-T", "a", "cat", "/proc/sys/net/ipv4/conf/lan7/log_martians"}), "1\n");
  EXPECT_EQ(must({"exec", "-T", "a", "cat", "/sys/class/net/lan7/address"}), "02:42:0a:01:02:03\n");
}

TEST_F(NetworkTest, WhatCannotBeIsRefusedWithItsPlace) {
  manifest(R"(
services: {a: {image: IMAGE, networks: [one]}}
networks:
  one:
    driver: macvlan
)");
  const Output driver = stack({"up", "-d"});
  EXPECT_THAT(driver, ExitsWith(1));
  EXPECT_THAT(driver.err, AllOf(HasSubstr("compose.yaml:5:"), HasSubstr("macvlan")));
  manifest(R"(
services:
  a:
    image: IMAGE
    networks: {one: {driver_opts: {com.docker.network.endpoint.sysctls: net.ipv4.ip_forward=1}}}
networks: {one: }
)");
  const Output sysctl = stack({"up", "-d"});
  EXPECT_THAT(sysctl, ExitsWith(1));
  EXPECT_THAT(sysctl.err, AllOf(HasSubstr("compose.yaml:5:"), HasSubstr("net.ipv4.ip_forward")));
}

// D1.9: a reload of the host's firewall takes every table; what was published comes back by itself.
TEST_F(NetworkTest, AFlushedFirewallComesBack) {
  manifest(R"(
services: {a: {image: IMAGE, command: probe http 80 a, ports: ['127.0.0.1::80']}}
)");
  up();
  const int port = published_port("a", 80);
  ASSERT_TRUE(answers("127.0.0.1", port));
  const auto rules = [&] { return support::firewall_lines(); };
  const auto before = rules();
  for (const char* loss : {"delete table inet stack", "flush table inet stack"}) {
    change_firewall(loss);
    wait_until([&] { return rules() == before; }, seconds(10));
    EXPECT_THAT(rules(), ContainerEq(before)) << loss;
    EXPECT_TRUE(answers("127.0.0.1", port)) << loss;
  }
}

}  // namespace
}  // namespace e2e
