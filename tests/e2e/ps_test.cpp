// `ps`, `ls`, `port`, `top`, `version`, `events`: what one sees of a running stack (Compose C4).
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class PsTest : public support::StackTest {
 protected:
  void start_some() {
    manifest(R"(
services:
  web: {image: IMAGE, command: probe http 80, ports: ["80", "127.0.0.1::81/udp"]}
  job: {image: IMAGE, command: probe exit 3}
)");
    up();
    ASSERT_TRUE(wait_until([&] { return state("job") == "exited"; }));
  }
};

TEST_F(PsTest, ShowsATableOfWhatRuns) {
  start_some();
  const std::string table = must({"ps"});
  EXPECT_THAT(support::split_lines(table).front(),
              MatchesRegex("NAME +IMAGE +COMMAND +SERVICE +CREATED +STATUS +PORTS *"));
  EXPECT_THAT(table,
              AllOf(HasSubstr(project() + "-web-1"), HasSubstr("\"probe http 80\""),
                    HasSubstr("Up "), HasSubstr("->80/tcp"), Not(HasSubstr(project() + "-job-1"))));
}

TEST_F(PsTest, ShowsTheEndedToo) {
  start_some();
  EXPECT_THAT(must({"ps", "-a"}), HasSubstr("Exited (3)"));
  EXPECT_THAT(must({"ps", "--status", "exited"}), HasSubstr(project() + "-job-1"));
  EXPECT_THAT(must({"ps", "--filter", "status=running"}), Not(HasSubstr(project() + "-job-1")));
}

TEST_F(PsTest, JsonIsOneObjectALineWithTheKnownKeys) {
  start_some();
  const json web = container("web");
  for (const char* key :
       {"Command",      "CreatedAt",  "ExitCode", "Health", "ID",       "Image", "Labels",
        "LocalVolumes", "Mounts",     "Name",     "Names",  "Networks", "Ports", "Project",
        "Publishers",   "RunningFor", "Service",  "Size",   "State",    "Status"})
    EXPECT_TRUE(web.contains(key)) << key;
  EXPECT_EQ(web.at("State"), "running");
  EXPECT_EQ(web.at("ExitCode"), 0);
  EXPECT_EQ(web.at("Project"), project());
  EXPECT_EQ(container("job").at("ExitCode"), 3);
  EXPECT_THAT(web.at("Labels").get<std::string>(),
              AllOf(HasSubstr("com.docker.compose.project=" + project()),
                    HasSubstr("com.docker.compose.service=web"),
                    HasSubstr("com.docker.compose.container-number=1")));
}

TEST_F(PsTest, PublishersNameAddressAndPorts) {
  start_some();
  const json publishers = container("web").at("Publishers");
  bool found = false;
  for (const json& one : publishers)
    found = found || (one.at("TargetPort") == 80 && one.at("Protocol") == "tcp" &&
                      one.at("PublishedPort").get<int>() > 0);
  EXPECT_TRUE(found) << publishers;
}

TEST_F(PsTest, QuietPrintsIdsAndServicesPrintsNames) {
  start_some();
  EXPECT_THAT(must({"ps", "-q"}), MatchesRegex("[0-9a-f]{64}\n"));
  EXPECT_EQ(must({"ps", "--services"}), "web\n");
  EXPECT_EQ(must({"ps", "-a", "--services"}), "job\nweb\n");
}

TEST_F(PsTest, TakesATemplate) {
  start_some();
  EXPECT_EQ(must({"ps", "--format", "{{.Service}} {{.State}}"}), "web running\n");
}

TEST_F(PsTest, PrintsHeadersWhenThereIsNothing) {
  manifest("services: {web: {image: IMAGE}}\n");
  EXPECT_THAT(must({"ps"}), HasSubstr("NAME"));
}

TEST_F(PsTest, PortPrintsTheAddress) {
  start_some();
  EXPECT_THAT(must({"port", "web", "80"}), MatchesRegex("0\\.0\\.0\\.0:[0-9]+\n"));
  EXPECT_THAT(must({"port", "--protocol", "udp", "web", "81"}),
              MatchesRegex("127\\.0\\.0\\.1:[0-9]+\n"));
  const Output none = stack({"port", "web", "99"});
  EXPECT_THAT(none, ExitsWith(1));
  EXPECT_THAT(none.err, HasSubstr("no port 99/tcp for container " + project() + "-web-1"));
}

TEST_F(PsTest, TopShowsEveryProcess) {
  manifest("services: {web: {image: IMAGE, command: \"sh -c 'sleep 1000 & exec probe serve'\"}}\n");
  up();
  EXPECT_TRUE(wait_until([&] {
    const std::string table = must({"top"});
    return table.find("sleep 1000") != std::string::npos &&
           table.find("probe serve") != std::string::npos;
  }));
}

TEST_F(PsTest, LsShowsEveryStack) {
  manifest("services: {web: {image: IMAGE}, db: {image: IMAGE}}\n");
  up();
  support::CommandOptions elsewhere;
  elsewhere.working_directory = "/tmp";
  const Output table = stack({"ls"}, elsewhere);
  ASSERT_THAT(table, ExitsWith(0));
  EXPECT_THAT(table.out, AllOf(HasSubstr(project()), HasSubstr("running(2)"),
                               HasSubstr(directory() + "/compose.yaml")));
  const Output listed = stack({"ls", "--format", "json"}, elsewhere);
  EXPECT_EQ(json::parse(listed.out).at(0).at("Name"), project());
  must({"stop"});
  EXPECT_THAT(must({"ls"}), Not(HasSubstr(project())));
  EXPECT_THAT(must({"ls", "-a"}), HasSubstr("exited(2)"));
}

TEST_F(PsTest, VersionNeedsNoFile) {
  EXPECT_THAT(must({"version"}), MatchesRegex("stack version v?[0-9]+\\.[0-9]+\\.[0-9]+[^\n]*\n"));
  EXPECT_THAT(must({"version", "--short"}), MatchesRegex("v?[0-9]+\\.[0-9]+\\.[0-9]+\n"));
  EXPECT_TRUE(json::parse(must({"version", "--format", "json"})).contains("version"));
}

// D7.10: the actions of a container's life, in order.
TEST_F(PsTest, EventsTellEachStepOfALife) {
  manifest("services: {web: {image: IMAGE}}\n");
  up();
  Command events = start({"events", "--json"});
  ASSERT_TRUE(wait_until([&] { return events.pid() > 0 && supervisor_pid().has_value(); }));
  // The stream has begun once it shows something.
  ASSERT_TRUE(wait_until([&] {
    must({"pause"});
    must({"unpause"});
    return events.out().find("unpause") != std::string::npos;
  }));
  must({"stop"});
  must({"rm", "-f"});
  ASSERT_TRUE(events.wait_for_output("destroy")) << events.out();
  events.send_signal(SIGINT);
  const Output output = events.wait();
  EXPECT_THAT(output, ExitsWith(130));
  std::vector<std::string> actions;
  for (const json& event : support::json_lines(output.out)) {
    EXPECT_EQ(event.at("service"), "web");
    EXPECT_EQ(event.at("type"), "container");
    const std::string action = event.at("action");
    if (action == "kill" || action == "die" || action == "stop" || action == "destroy")
      actions.push_back(action);
  }
  EXPECT_EQ(actions, (std::vector<std::string>{"kill", "die", "stop", "destroy"}));
}

TEST_F(PsTest, EveryCommandTeachesItself) {
  EXPECT_THAT(must({"--help"}), AllOf(HasSubstr("up"), HasSubstr("down"), HasSubstr("logs")));
  for (const char* command :
       {"up",      "down",   "ps",    "logs",    "exec", "run",    "start",  "stop",
        "restart", "kill",   "pause", "unpause", "port", "top",    "ls",     "config",
        "events",  "images", "rmi",   "import",  "load", "volume", "version"})
    EXPECT_THAT(must({command, "--help"}), HasSubstr("stack " + std::string(command))) << command;
}

}  // namespace
}  // namespace e2e
