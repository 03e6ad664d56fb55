// Bad input: a clear message with its place, exit code 1 (2 for wrong usage), and nothing half
// made.
#include <unistd.h>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class ErrorsTest : public support::StackTest {
 protected:
  // `up` fails with all of these words and makes nothing.
  void refused(const std::string& text, const std::vector<std::string>& words) {
    manifest(text);
    const Output output = stack({"up", "-d"});
    EXPECT_THAT(output, ExitsWith(1));
    EXPECT_EQ(output.out, "");
    for (const std::string& word : words) EXPECT_THAT(output.err, HasSubstr(word));
    expect_nothing_left();
  }
};

TEST_F(ErrorsTest, ACycleIsShownAsItsPath) {
  refused(
      "services: {a: {image: IMAGE, depends_on: [b]}, b: {image: IMAGE, depends_on: [c]}, c: "
      "{image: IMAGE, depends_on: [a]}}\n",
      {"dependency cycle detected", "a -> b -> c -> a"});
}

TEST_F(ErrorsTest, AnUnknownDependencyIsNamed) {
  refused("services: {a: {image: IMAGE, depends_on: [zebra]}}\n",
          {"service \"a\" depends on undefined service \"zebra\""});
}

TEST_F(ErrorsTest, AnUnknownKeyComesWithItsPlaceAndTheNearestWord) {
  manifest("services:\n  a:\n    imagee: IMAGE\n");
  const Output output = stack({"config"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, AllOf(HasSubstr("compose.yaml:3:5"), HasSubstr("imagee"),
                                HasSubstr("image"), HasSubstr("^")));
}

TEST_F(ErrorsTest, EveryMistakeIsReportedAtOnce) {
  refused(R"(
services:
  a: {image: IMAGE, prots: ["80"]}
  b: {image: IMAGE, networks: [missing]}
  c: {image: IMAGE, volumes: ["nowhere:/x"]}
)",
          {"prots", "ports"});
  refused(R"(
services:
  b: {image: IMAGE, networks: [missing]}
  c: {image: IMAGE, volumes: ["nowhere:/x"]}
)",
          {"undefined network missing", "undefined volume nowhere"});
}

TEST_F(ErrorsTest, BrokenYamlHasItsLine) {
  manifest("services:\n  a: [\n");
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, ContainsRegex("compose.yaml:[0-9]+:[0-9]+: "));
}

TEST_F(ErrorsTest, ARequiredVariableIsAskedFor) {
  refused("services: {a: {image: 'IMAGE:${TAG:?say which}'}}\n", {"TAG", "say which"});
}

TEST_F(ErrorsTest, AMissingImageIsNamed) {
  refused("services: {a: {image: 'not-there:1'}}\n", {"not-there:1"});
}

TEST_F(ErrorsTest, AServiceNeedsAnImage) {
  refused("services: {a: {command: x}}\n",
          {"service \"a\" has neither an image nor a build context specified"});
}

// D2.5: what holds the port is named; the others keep running.
TEST_F(ErrorsTest, ATakenPortNamesWhoHasIt) {
  const support::Listener taken = support::listen_on();
  manifest("services: {web: {image: IMAGE, ports: ['" + std::to_string(taken.port) +
           ":80']}, other: {image: IMAGE}}\n");
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err,
              AllOf(HasSubstr(std::to_string(taken.port)), HasSubstr("port is already allocated"),
                    HasSubstr(std::to_string(::getpid()))));
  EXPECT_EQ(state("web"), "") << "nothing half made";
  expect_nothing_left();
}

TEST_F(ErrorsTest, TwoStacksCannotPublishOnePort) {
  const int port = support::free_port();
  manifest("services: {web: {image: IMAGE, ports: ['" + std::to_string(port) + ":80']}}\n");
  up();
  const Output second = stack({"-p", project() + "b", "up", "-d"});
  EXPECT_THAT(second, ExitsWith(1));
  EXPECT_THAT(second.err, HasSubstr("port is already allocated"));
  must({"-p", project() + "b", "down"});
}

TEST_F(ErrorsTest, NoFileIsSaid) {
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("compose.yaml"));
  EXPECT_THAT(stack({"-f", "missing.yaml", "config"}), ExitsWith(1));
}

TEST_F(ErrorsTest, UnknownServicesAreNamed) {
  manifest("services: {a: {image: IMAGE}}\n");
  const Output output = stack({"up", "-d", "nope"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("no such service: nope"));
}

TEST_F(ErrorsTest, WrongUsageIsTwo) {
  manifest("services: {a: {image: IMAGE}}\n");
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--no-such-flag"},
                                                    {"up", "--no-such-flag"},
                                                    {"no-such-command"},
                                                    {"exec"},
                                                    {"port", "a"}}) {
    const Output output = stack(arguments);
    EXPECT_THAT(output, ExitsWith(2)) << testing::PrintToString(arguments);
    EXPECT_THAT(output.err, Not(IsEmpty())) << testing::PrintToString(arguments);
  }
}

TEST_F(ErrorsTest, OnlyRootCanStart) {
  manifest("services: {a: {image: IMAGE}}\n");
  CommandOptions options;
  options.environment = environment();
  options.environment["STACK_DATA_DIR"] = "/nonexistent/data";
  options.environment["STACK_RUN_DIR"] = "/nonexistent/run";
  options.working_directory = directory();
  std::filesystem::permissions(std::filesystem::path(directory()).parent_path(),
                               std::filesystem::perms(0755));
  const Output output = support::run({"/usr/bin/setpriv", "--reuid=65534", "--regid=65534",
                                      "--clear-groups", support::stack_executable(), "up", "-d"},
                                     options);
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("root"));
}

TEST_F(ErrorsTest, ABuildThatCannotBeginSaysWhy) {
  manifest("services: {a: {build: .}}\n");
  const Output output = stack({"up", "-d", "--build"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("there is no Dockerfile"));
  expect_nothing_left();
}

}  // namespace
}  // namespace e2e
