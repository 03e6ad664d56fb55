#include "orchestrator/effective.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "runtime/os/error.hpp"

namespace orchestrator {
namespace {

using namespace std::chrono_literals;
using manifests::Service;
using manifests::Strings;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::StartsWith;

image::ImageConfig image_config() {
  image::ImageConfig config;
  config.entrypoint = {"/entry"};
  config.cmd = {"serve"};
  return config;
}

// D6.2
TEST(EffectiveArguments, ReplaceTheImagesPartByPart) {
  Service service;
  EXPECT_THAT(effective_arguments(service, image_config()), ElementsAre("/entry", "serve"));
  service.command = Strings{"test", "-v"};
  EXPECT_THAT(effective_arguments(service, image_config()), ElementsAre("/entry", "test", "-v"));
  service.command = Strings{};
  EXPECT_THAT(effective_arguments(service, image_config()), ElementsAre("/entry"));
}

// D6.2: an entrypoint of the service's own drops the image's CMD.
TEST(EffectiveArguments, DropTheImagesCommandWithItsEntrypoint) {
  Service service;
  service.entrypoint = Strings{"/mine"};
  EXPECT_THAT(effective_arguments(service, image_config()), ElementsAre("/mine"));
  service.entrypoint = Strings{};
  EXPECT_THROW(effective_arguments(service, image_config()), os::Error);
  service.command = Strings{"sh"};
  EXPECT_THAT(effective_arguments(service, image_config()), ElementsAre("sh"));
}

// D6.1
TEST(EffectiveEnvironment, LaterSourcesWinAndANameIsThereOnce) {
  image::ImageConfig image;
  image.env = {"PATH=/image", "A=image", "B=image"};
  Service service;
  service.environment = {{"A", "service"}, {"B", std::nullopt}, {"C", ""}};
  const auto variables = effective_environment(service, image, "host-1", "/home/u");
  EXPECT_THAT(variables,
              ElementsAre("PATH=/image", "HOSTNAME=host-1", "A=service", "C=", "HOME=/home/u"));
}

TEST(EffectiveEnvironment, HasDefaultsForWhatIsNotGiven) {
  Service service;
  service.tty = true;
  service.environment["HOME"] = "/mine";
  const auto variables = effective_environment(service, {}, "h", "/root");
  EXPECT_THAT(variables, Contains(StartsWith("PATH=/")));
  EXPECT_THAT(variables, Contains("TERM=xterm"));
  EXPECT_THAT(variables, Contains("HOME=/mine"));
  EXPECT_THAT(variables, Not(Contains("HOME=/root")));
}

TEST(EffectiveStopSignal, IsTheServicesThenTheImagesThenTerm) {
  Service service;
  image::ImageConfig image;
  EXPECT_EQ(effective_stop_signal(service, image), SIGTERM);
  image.stop_signal = "SIGQUIT";
  EXPECT_EQ(effective_stop_signal(service, image), SIGQUIT);
  service.stop_signal = "int";
  EXPECT_EQ(effective_stop_signal(service, image), SIGINT);
  service.stop_signal = "SIGNOTHING";
  EXPECT_THROW(effective_stop_signal(service, image), os::Error);
}

// A6: keys that the service leaves out are the image's, then the defaults.
TEST(EffectiveLogLimits, AreReadAsDockerReadsThem) {
  Service service;
  EXPECT_EQ(effective_log_limits(service).max_size, 0U);
  const auto with = [&](const std::string& size, const std::string& files) {
    service.logging.emplace();
    service.logging->options = {{"max-size", size}, {"max-file", files}};
    return effective_log_limits(service);
  };
  EXPECT_EQ(with("10m", "3").max_size, 10U << 20);
  EXPECT_EQ(with("10m", "3").max_files, 3U);
  EXPECT_EQ(with("4096", "1").max_size, 4096U);
  EXPECT_EQ(with("-1", "1").max_size, 0U);
  for (const char* size : {"", "0", "-2", "much", "10x"})
    EXPECT_THROW(with(size, "1"), os::Error) << size;
  for (const char* files : {"", "0", "-1", "two"}) EXPECT_THROW(with("1m", files), os::Error);
}

TEST(EffectiveHealthCheck, IsPutTogetherKeyByKey) {
  image::ImageConfig image;
  image.healthcheck = image::Healthcheck{.test = {"CMD", "/probe"}, .interval = 7s, .retries = 9};
  Service service;
  service.healthcheck.emplace();
  service.healthcheck->retries = 2;
  const auto check = effective_health_check(service, image);
  ASSERT_TRUE(check);
  EXPECT_THAT(check->arguments, ElementsAre("/probe"));
  EXPECT_EQ(check->timing.interval, 7s);
  EXPECT_EQ(check->timing.retries, 2);
  EXPECT_EQ(check->timing.timeout, 30s);
  EXPECT_EQ(check->timing.start_interval, 5s);
}

// D8.8: CMD-SHELL runs in the image's SHELL, or /bin/sh -c.
TEST(EffectiveHealthCheck, RunsAShellTestInTheImagesShell) {
  Service service;
  service.healthcheck.emplace();
  service.healthcheck->test = {"CMD-SHELL", "curl -f x || exit 1"};
  image::ImageConfig image;
  EXPECT_THAT(effective_health_check(service, image)->arguments,
              ElementsAre("/bin/sh", "-c", "curl -f x || exit 1"));
  image.shell = {"/bin/bash", "-ec"};
  EXPECT_THAT(effective_health_check(service, image)->arguments,
              ElementsAre("/bin/bash", "-ec", "curl -f x || exit 1"));
}

TEST(EffectiveHealthCheck, IsNothingWhenThereIsNoneOrItIsOff) {
  image::ImageConfig image;
  Service service;
  EXPECT_FALSE(effective_health_check(service, image));
  image.healthcheck = image::Healthcheck{.test = {"NONE"}};
  EXPECT_FALSE(effective_health_check(service, image));
  image.healthcheck->test = {"CMD", "/probe"};
  EXPECT_TRUE(effective_health_check(service, image));
  service.healthcheck.emplace();
  service.healthcheck->disable = true;
  EXPECT_FALSE(effective_health_check(service, image));
  service.healthcheck->disable = false;
  service.healthcheck->test = {"NONE"};
  EXPECT_FALSE(effective_health_check(service, image));
}

}  // namespace
}  // namespace orchestrator
