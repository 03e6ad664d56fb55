#include "runtime/image/config.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace image {
namespace {

using namespace std::chrono_literals;

ImageConfig full_config() {
  ImageConfig config;
  config.created = parse_timestamp("2024-05-01T12:00:00.25Z");
  config.author = "someone";
  config.platform = {"linux", "arm", "v6"};
  config.entrypoint = {"/entry", "a b"};
  config.cmd = {"serve"};
  config.env = {"PATH=/bin", "EMPTY=", "A=b=c"};
  config.user = "www:www";
  config.working_dir = "/srv";
  config.volumes = {"/data", "/log"};
  config.exposed_ports = {"53/udp", "80/tcp"};
  config.stop_signal = "SIGQUIT";
  config.shell = {"/bin/bash", "-c"};
  config.on_build = {"RUN true"};
  config.labels = {{"k", "v"}, {"empty", ""}};
  config.healthcheck = Healthcheck{{"CMD-SHELL", "true"}, 5s, 1s, 10s, 500ms, 3};
  config.diff_ids = {Digest::of("1"), Digest::of("2")};
  config.history = {{config.created, "by", "who", "why", false}, {{}, "ENV A", "", "", true}};
  return config;
}

TEST(Config, RoundTrip) {
  EXPECT_EQ(parse_config(format_config(full_config())), full_config());
  ImageConfig empty;
  empty.platform = {"linux", "amd64", ""};
  EXPECT_EQ(parse_config(format_config(empty)), empty);
}

TEST(Config, NullIsAbsentAndUnknownIsIgnored) {
  const ImageConfig config = parse_config(R"({"architecture":"amd64","os":"linux","config":{
      "Cmd":null,"Env":null,"Volumes":null,"Labels":null,"Healthcheck":null,"ArgsEscaped":true},
      "rootfs":{"type":"layers","diff_ids":null},"history":null,"docker_version":"1"})");
  EXPECT_TRUE(config.cmd.empty());
  EXPECT_FALSE(config.healthcheck);
  EXPECT_EQ(parse_config(R"({"config":null})").platform.os, "linux");
}

TEST(Config, WrongTypesAreNamed) {
  for (const char* bad : {"", "[]", "{", R"({"config":[]})", R"({"config":{"Cmd":"sh"}})",
                          R"({"config":{"Env":[1]}})", R"({"config":{"Volumes":["/a"]}})",
                          R"({"rootfs":{"diff_ids":["sha256:x"]}})", R"({"history":[1]})",
                          R"({"config":{"Healthcheck":{"Interval":"5s"}}})"})
    EXPECT_THROW(parse_config(bad), os::Error) << bad;
  try {
    parse_config(R"({"config":{"Cmd":"sh"}})");
  } catch (const os::Error& error) {
    EXPECT_STREQ(error.what(), "read an image configuration: property 'Cmd' must be an array");
  }
}

TEST(Config, SetEnvReplacesInPlace) {
  ImageConfig config;
  config.env = {"A=1", "AB=2"};
  config.set_env("A", "3");
  config.set_env("C", "4");
  EXPECT_EQ(config.env, (std::vector<std::string>{"A=3", "AB=2", "C=4"}));
}

TEST(Config, DeepNestingIsHarmless) {
  EXPECT_THROW(parse_config(std::string(200'000, '[')), os::Error);
  const std::string deep = R"({"x":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_NO_THROW(parse_config(deep));
}

}  // namespace
}  // namespace image
