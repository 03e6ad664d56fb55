// `exec` and `run`: a program beside or instead of a service's own (Compose C4, D6.14).
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class ExecTest : public support::StackTest {
 protected:
  void SetUp() override {
    StackTest::SetUp();
    manifest(R"(
services:
  web:
    image: IMAGE
    user: app
    working_dir: /home/app
    environment: {COLOUR: blue}
)");
    up();
  }
};

class RunTest : public support::StackTest {};

TEST_F(ExecTest, RunsInsideAndPassesTheCodeOn) {
  EXPECT_THAT(probe("web", {"exit", "7"}), ExitsWith(7));
  EXPECT_THAT(probe("web", {"say", "out:a", "err:b"}).out, "a\n");
  EXPECT_THAT(probe("web", {"say", "out:a", "err:b"}).err, "b\n");
}

TEST_F(ExecTest, SharesEveryNamespaceAndTheCgroup) {
  const std::string inside = ask("web", {"namespaces"});
  for (const char* name : {"ipc", "mnt", "net", "pid", "uts"}) {
    const std::string link =
        std::filesystem::read_symlink("/proc/" + std::to_string(init_pid("web")) + "/ns/" + name)
            .string();
    EXPECT_THAT(inside, HasSubstr(link)) << name;
  }
  EXPECT_EQ(ask("web", {"cat", "/proc/self/cgroup"}), ask("web", {"cat", "/proc/1/cgroup"}));
}

TEST_F(ExecTest, HasTheContainersIdentityEnvironmentAndDirectory) {
  EXPECT_THAT(ask("web", {"id"}), HasSubstr("uid=1000 gid=1000"));
  EXPECT_EQ(ask("web", {"cwd"}), "/home/app\n");
  EXPECT_EQ(ask("web", {"env", "COLOUR"}), "blue\n");
  EXPECT_EQ(ask("web", {"env", "HOME"}), "/home/app\n");
  EXPECT_THAT(ask("web", {"caps"}), HasSubstr("CapEff:\t0000000000000000"));
}

TEST_F(ExecTest, TakesItsOwnUserEnvironmentAndDirectory) {
  EXPECT_THAT(must({"exec", "-T", "-u", "0", "web", "probe", "id"}), HasSubstr("uid=0"));
  EXPECT_EQ(must({"exec", "-T", "-w", "/tmp", "web", "probe", "cwd"}), "/tmp\n");
  EXPECT_EQ(must({"exec", "-T", "-e", "COLOUR=red", "web", "probe", "env", "COLOUR"}), "red\n");
  EXPECT_EQ(must({"exec", "-T", "--privileged", "-u", "0", "web", "probe", "status", "Seccomp"}),
            "Seccomp:\t0\n");
}

TEST_F(ExecTest, PassesInputOn) {
  write("input", "one\ntwo\n");
  CommandOptions options;
  options.input = directory() + "/input";
  EXPECT_EQ(stack({"exec", "-T", "web", "probe", "echo"}, options).out, "one\ntwo\n");
}

TEST_F(ExecTest, GivesATerminalToATerminal) {
  CommandOptions options;
  options.terminal = true;
  Command command = start({"exec", "web", "sh"}, options);
  command.write_input("probe tty; exit 4\n");
  const Output output = command.wait(seconds(20));
  EXPECT_THAT(output, ExitsWith(4));
  EXPECT_THAT(output.out, AllOf(HasSubstr("0 tty"), HasSubstr("1 tty"), HasSubstr("2 tty")));
}

TEST_F(ExecTest, HasNoTerminalWithoutOne) { EXPECT_EQ(ask("web", {"tty"}), "0 no\n1 no\n2 no\n"); }

TEST_F(ExecTest, SaysWhatCannotBeStarted) {
  const Output missing = stack({"exec", "-T", "web", "no-such-program"});
  EXPECT_THAT(missing, ExitsWith(127));
  EXPECT_THAT(missing.err, HasSubstr("no-such-program"));
  EXPECT_THAT(stack({"exec", "-T", "web", "/etc/passwd"}), ExitsWith(126));
}

TEST_F(ExecTest, SaysWhenTheServiceDoesNotRun) {
  must({"stop"});
  const Output output = stack({"exec", "-T", "web", "true"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("service \"web\" is not running"));
}

TEST_F(ExecTest, DetachedGoesOnByItself) {
  must({"exec", "-d", "web", "sh", "-c", "sleep 0.2; touch /tmp/done"});
  EXPECT_TRUE(wait_until(
      [&] {
        return probe("web", {"exists", "/tmp/done"}).code == 0;
      },
      seconds(10)));
}

TEST_F(ExecTest, EndsWithTheCommandThatStartedIt) {
  Command command = start({"exec", "-T", "web", "sleep", "4242"});
  ASSERT_TRUE(wait_until([&] { return must({"top"}).find("sleep 4242") != std::string::npos; }));
  command.send_signal(SIGKILL);
  command.wait();
  EXPECT_TRUE(wait_until([&] { return must({"top"}).find("sleep 4242") == std::string::npos; },
                         seconds(10)));
}

TEST_F(ExecTest, NumbersChooseTheReplica) {
  must({"up", "-d", "--scale", "web=2"});
  const std::string first = must({"exec", "-T", "web", "probe", "hostname"});
  const std::string second = must({"exec", "-T", "--index", "2", "web", "probe", "hostname"});
  EXPECT_NE(first, second);
  const Output third = stack({"exec", "-T", "--index", "3", "web", "true"});
  EXPECT_THAT(third, ExitsWith(1));
  EXPECT_THAT(third.err, HasSubstr("container #3"));
}

TEST_F(ExecTest, LargeOutputComesWhole) {
  EXPECT_EQ(probe("web", {"write-bytes", "5000000", "79"}).out.size(), 5'000'000U);
}

// ---- run

TEST_F(RunTest, RunsOneCommandAndPassesTheCodeOn) {
  manifest("services: {web: {image: IMAGE, command: probe serve}}\n");
  const Output output = stack({"run", "--rm", "-T", "web", "probe", "say", "out:hello"});
  EXPECT_THAT(output, ExitsWith(0));
  EXPECT_EQ(output.out, "hello\n");
  EXPECT_THAT(stack({"run", "--rm", "-T", "web", "probe", "exit", "9"}), ExitsWith(9));
  EXPECT_THAT(containers(), IsEmpty());
}

TEST_F(RunTest, StartsDependenciesFirst) {
  manifest(R"(
services:
  job: {image: IMAGE, command: probe get db 80, depends_on: {db: {condition: service_healthy}}}
  db:
    image: IMAGE
    command: probe http 80 database
    healthcheck: {test: [CMD, probe, connect, 127.0.0.1, "80"], interval: 1s}
)");
  const Output output = stack({"run", "--rm", "-T", "job"});
  EXPECT_THAT(output, ExitsWith(0));
  EXPECT_THAT(output.out, HasSubstr("name=database"));
  EXPECT_EQ(state("db"), "running");
  must({"down"});
  EXPECT_THAT(stack({"run", "--rm", "-T", "--no-deps", "job", "probe", "exit", "0"}), ExitsWith(0));
  EXPECT_EQ(state("db"), "");
}

// C4: no ports, no aliases, no restart, container_name ignored.
TEST_F(RunTest, LeavesOutWhatOnlyTheServiceMayHave) {
  const int port = support::free_port();
  manifest(
      "services: {web: {image: IMAGE, command: probe serve, container_name: the-name, restart: "
      "always, ports: ['" +
      std::to_string(port) + ":80']}}\n");
  up();
  const Output output = stack({"run", "--rm", "-T", "web", "probe", "exit", "3"});
  EXPECT_THAT(output, ExitsWith(3));
}

TEST_F(RunTest, PublishesWhenAsked) {
  const int port = support::free_port();
  manifest("services: {web: {image: IMAGE, command: probe http 80 me, ports: ['" +
           std::to_string(port) + ":80']}}\n");
  const std::string printed = must({"run", "-d", "--service-ports", "--name", "mine", "web"});
  EXPECT_THAT(printed, MatchesRegex("[0-9a-f]{64}\n"));
  EXPECT_TRUE(
      wait_until([&] { return support::http_get("127.0.0.1", port).has_value(); }, seconds(10)));
}

TEST_F(RunTest, TakesOverridesOfTheService) {
  manifest("services: {web: {image: IMAGE, command: probe serve, environment: {A: file}}}\n");
  EXPECT_EQ(must({"run", "--rm", "-T", "-e", "A=given", "web", "probe", "env", "A"}), "given\n");
  EXPECT_THAT(must({"run", "--rm", "-T", "-u", "app", "web", "probe", "id"}),
              HasSubstr("uid=1000"));
  EXPECT_EQ(must({"run", "--rm", "-T", "-w", "/tmp", "web", "probe", "cwd"}), "/tmp\n");
  EXPECT_EQ(must({"run", "--rm", "-T", "--entrypoint", "probe words", "web", "x y"}), "[x y]\n");
  write("file", "from the host\n");
  EXPECT_EQ(must({"run", "--rm", "-T", "-v", directory() + "/file:/there:ro", "web", "probe", "cat",
                  "/there"}),
            "from the host\n");
  EXPECT_THAT(must({"run", "--rm", "-T", "--cap-drop", "ALL", "web", "probe", "status", "CapEff"}),
              HasSubstr("0000000000000000"));
}

TEST_F(RunTest, PassesInputAndSignalsOn) {
  manifest("services: {web: {image: IMAGE}}\n");
  write("input", "through\n");
  CommandOptions options;
  options.input = directory() + "/input";
  EXPECT_EQ(stack({"run", "--rm", "-T", "-i", "web", "probe", "echo"}, options).out, "through\n");
  Command command = start({"run", "--rm", "-T", "web", "probe", "serve", "6"});
  ASSERT_TRUE(command.wait_for_output("ready"));
  command.send_signal(SIGTERM);
  EXPECT_THAT(command.wait(), ExitsWith(6));
}

TEST_F(RunTest, GivesATerminalToATerminal) {
  manifest("services: {web: {image: IMAGE}}\n");
  CommandOptions options;
  options.terminal = true;
  Command command = start({"run", "--rm", "web", "probe", "tty"}, options);
  const Output output = command.wait(seconds(20));
  EXPECT_THAT(output, ExitsWith(0));
  EXPECT_THAT(output.out, AllOf(HasSubstr("0 tty"), HasSubstr("1 tty")));
}

TEST_F(RunTest, KeepsTheContainerWithoutRm) {
  manifest("services: {web: {image: IMAGE}}\n");
  must({"run", "-T", "--name", "kept", "web", "probe", "exit", "0"});
  EXPECT_THAT(must({"ps", "-a", "--format", "{{.Name}}"}), HasSubstr("kept"));
  must({"down", "--remove-orphans"});
  expect_nothing_left();
}

TEST_F(RunTest, SaysWhatCannotBeStarted) {
  manifest("services: {web: {image: IMAGE}}\n");
  const Output output = stack({"run", "--rm", "-T", "web", "no-such-program"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("executable file not found"));
  EXPECT_THAT(stack({"run", "--rm", "-T", "nope", "true"}), ExitsWith(1));
}

}  // namespace
}  // namespace e2e
