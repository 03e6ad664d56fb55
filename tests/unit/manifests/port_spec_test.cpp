#include "manifests/port_spec.hpp"

#include <gtest/gtest.h>

namespace manifests {
namespace {

/// `HOST_IP>PUBLISHED>TARGET/PROTOCOL`, space separated; or why it was refused.
std::string ports(std::string_view spec) {
  const auto parsed = parse_port_spec(spec);
  if (const auto* failure = std::get_if<Unreadable>(&parsed)) return failure->reason;
  std::string text;
  for (const Port& port : std::get<std::vector<Port>>(parsed)) {
    static constexpr const char* kNames[] = {"tcp", "udp", "sctp"};
    text += (text.empty() ? "" : " ") + port.host_ip + ">" + port.published + ">" +
            std::to_string(port.target) + "/" + kNames[static_cast<int>(port.protocol)];
  }
  return text;
}

TEST(PortSpecA2P, EphemeralAndFixed) {
  EXPECT_EQ(ports("80"), ">>80/tcp");
  EXPECT_EQ(ports(":80"), ">>80/tcp");
  EXPECT_EQ(ports("8000:80"), ">8000>80/tcp");
  EXPECT_EQ(ports("0:80"), ">0>80/tcp");
  EXPECT_EQ(ports("53:53/UDP"), ">53>53/udp");
}

TEST(PortSpecA2P, Ranges) {
  EXPECT_EQ(ports("3000-3001"), ">>3000/tcp >>3001/tcp");
  EXPECT_EQ(ports("8000-8002:80"), ">8000-8002>80/tcp");
  EXPECT_EQ(ports("9090-9091:8080-8081"), ">9090>8080/tcp >9091>8081/tcp");
  EXPECT_EQ(ports("1-2:1-3"), "Invalid ranges specified for container and host Ports: 1-3 and 1-2");
}

TEST(PortSpecA2P, Addresses) {
  EXPECT_EQ(ports("127.0.0.1:8001:8001"), "127.0.0.1>8001>8001/tcp");
  EXPECT_EQ(ports("127.0.0.1::80"), "127.0.0.1>>80/tcp");
  EXPECT_EQ(ports("[::1]:6001:6001"), "::1>6001>6001/tcp");
  EXPECT_EQ(ports("::1:6000:6000"), "::1>6000>6000/tcp");
}

TEST(PortSpecA2P, Errors) {
  EXPECT_EQ(ports("70000:80"), "Invalid hostPort: 70000");
  EXPECT_EQ(ports("65536"), "Invalid containerPort: 65536");
  EXPECT_EQ(ports("localhost:80:80"), "Invalid ip address: localhost");
  EXPECT_EQ(ports("80/foo"), "Invalid proto: foo");
  EXPECT_EQ(ports("80:"), "No port specified: 80:<empty>");
}

}  // namespace
}  // namespace manifests
