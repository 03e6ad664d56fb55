#include "runtime/image/registry_config.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {
namespace {

class RegistryConfigTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    const std::string path = directory_.path() + "/" + name;
    os::make_directories(path.substr(0, path.rfind('/')), 0700);
    os::write_file_atomic(path, text);
  }
  os::TempDir directory_;
  RegistryConfig config_{{directory_.path()}};
};

TEST_F(RegistryConfigTest, HubHasAServerOfItsOwn) {
  const auto hub = config_.endpoints("docker.io");
  ASSERT_EQ(hub.size(), 1U);
  EXPECT_EQ(hub[0].url, "https://registry-1.docker.io");
  EXPECT_EQ(hub[0].credentials, "docker.io");
  EXPECT_FALSE(hub[0].insecure);
}

TEST_F(RegistryConfigTest, OnlyThisMachineIsTrustedWithoutAnything) {
  EXPECT_TRUE(config_.endpoints("localhost:5000")[0].insecure);
  EXPECT_FALSE(config_.endpoints("registry.example:5000")[0].insecure);
  config_.add_daemon_file(R"({"insecure-registries":["registry.example:5000"]})");
  EXPECT_TRUE(config_.endpoints("registry.example:5000")[0].insecure);
}

TEST_F(RegistryConfigTest, WhoHasAnAuthorityIsHeldToIt) {
  write("localhost:5000/ca.crt", "PEM\n");
  const Endpoint endpoint = config_.endpoints("localhost:5000")[0];
  EXPECT_FALSE(endpoint.insecure);
  EXPECT_TRUE(endpoint.tls.verify);
  EXPECT_EQ(endpoint.tls.authorities, "PEM\n\n");
}

TEST_F(RegistryConfigTest, AClientCertificateNeedsItsKey) {
  write("h/client.cert", "C");
  EXPECT_THROW(config_.endpoints("h"), os::Error);
  write("h/client.key", "K");
  EXPECT_EQ(config_.endpoints("h")[0].tls.key, directory_.path() + "/h/client.key");
}

TEST_F(RegistryConfigTest, MirrorsComeFirstAndAreNotPushedTo) {
  config_.add_daemon_file(R"({"registry-mirrors":["https://mirror.example/"]})");
  const auto hub = config_.endpoints("docker.io");
  ASSERT_EQ(hub.size(), 2U);
  EXPECT_EQ(hub[0].url, "https://mirror.example");
  EXPECT_EQ(hub[0].credentials, "mirror.example");
  EXPECT_EQ(hub[0].origin, "docker.io");
  EXPECT_FALSE(hub[0].push);
  EXPECT_EQ(config_.endpoints("quay.io").size(), 1U);
}

TEST_F(RegistryConfigTest, HostsFilesAreRead) {
  write("h/hosts.toml", R"(
server = "https://real.example"   # the real one
[host."https://one.example"]
  capabilities = ["pull"]
  ca = [
    "/dev/null",
  ]
  skip_verify = true
  [host."https://one.example".header]
    x-key = ["a", "b"]
[host.'http://two.example/v2']
  capabilities = ["pull", "resolve", "push"]
  override_path = true
)");
  const auto endpoints = config_.endpoints("h");
  ASSERT_EQ(endpoints.size(), 3U);
  EXPECT_EQ(endpoints[0].url, "https://one.example");
  EXPECT_FALSE(endpoints[0].resolve);
  EXPECT_FALSE(endpoints[0].tls.verify);
  ASSERT_EQ(endpoints[0].headers.size(), 2U);
  EXPECT_EQ(endpoints[0].headers[1].second, "b");
  EXPECT_EQ(endpoints[1].url, "http://two.example");
  EXPECT_TRUE(endpoints[1].push);
  EXPECT_EQ(endpoints[2].url, "https://real.example");
}

TEST_F(RegistryConfigTest, MistakesAreToldWithTheirLine) {
  for (const char* bad : {"[host]", "x", "server = https://h", "[host.\"ftp://h\"]",
                          "[host.\"https://h\"]\nca = [\"a\"\n"}) {
    try {
      parse_hosts_file(bad);
      ADD_FAILURE() << bad;
    } catch (const os::Error&) {
    }
  }
  write("h/hosts.toml", "server = \"https://h\"\nnonsense\n");
  try {
    config_.endpoints("h");
    FAIL();
  } catch (const os::Error& error) {
    EXPECT_NE(std::string(error.what()).find("line 2"), std::string::npos) << error.what();
  }
}

TEST(ProxyTest, ByScheme) {
  const std::map<std::string, std::string> environment{
      {"HTTPS_PROXY", "http://s"}, {"http_proxy", "http://p"}, {"ALL_PROXY", "http://a"}};
  EXPECT_EQ(proxy_for("https://h/", environment), "http://s");
  EXPECT_EQ(proxy_for("http://h/", environment), "http://p");
  EXPECT_EQ(proxy_for("http://localhost:5000/", environment), "");
  EXPECT_EQ(proxy_for("https://h/", {{"ALL_PROXY", "http://a"}}), "http://a");
}

}  // namespace
}  // namespace image
