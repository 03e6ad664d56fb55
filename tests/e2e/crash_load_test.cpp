// A SIGKILL to a supervisor or to a monitor while there is work: what must not notice does not
// notice, what must act acts.
#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/support/conversation.hpp"
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

using support::Conversation;

class CrashLoadTest : public support::StackTest {
 protected:
  /// Kills the supervisor and waits for one that has taken up `count` containers.
  void replace_supervisor(std::size_t count) {
    const std::string log = run_directory() + "/projects/" + project() + "/supervisor.log";
    std::filesystem::remove(log);
    const auto earlier = supervisor_pid();
    ASSERT_TRUE(earlier.has_value());
    ::kill(*earlier, SIGKILL);
    const std::string words = "adopted " + std::to_string(count) + " containers";
    ASSERT_TRUE(wait_until([&] {
      return os::read_file_if_exists(log).value_or("").find(words) != std::string::npos;
    })) << os::read_file_if_exists(log).value_or("no log");
    ASSERT_NE(supervisor_pid(), earlier);
  }
  /// Kills the supervisor, and no other one lives before the lock is given back.
  std::optional<os::FileLock> keep_supervisors_away() {
    std::optional<os::FileLock> lock;
    std::atomic<bool> ours{false};
    std::thread waiter([&] {
      lock.emplace(os::FileLock::acquire(run_directory() + "/projects/" + project() + ".lock"));
      ours = true;
    });
    while (!ours)  // a new one may be faster than the waiter
      if (const auto pid = supervisor_pid()) ::kill(*pid, SIGKILL);
    waiter.join();
    return lock;
  }
  std::vector<pid_t> pids(const std::vector<std::string>& services) {
    std::vector<pid_t> all;
    for (const std::string& service : services) all.push_back(init_pid(service));
    return all;
  }
  void kill_init(const std::string& service) { ::kill(init_pid(service), SIGKILL); }
  bool runs_anew(const std::string& service, pid_t earlier) {
    return wait_until([&] {
      return state(service) == "running" && find_init_pid(service).value_or(earlier) != earlier;
    });
  }
  /// How often the health check of `watched` has been tried.
  std::size_t tries() { return split_lines(ask("watched", {"cat", "/tries"})).size(); }
};

constexpr const char* kBusy = R"(
services:
  parrot: {image: IMAGE, command: probe parrot 7, ports: ["PORT:7"]}
  talker: {image: IMAGE, command: probe talk ADDRESS 7 8, depends_on: [parrot]}
  writer: {image: IMAGE, command: probe count 1000000000 1}
  watched:
    image: IMAGE
    healthcheck: {test: "echo >> /tries", interval: 100ms}
  again: {image: IMAGE, restart: always}
networks:
  default: {ipam: {config: [{subnet: 10.213.7.0/24}]}}
)";

// The manifest above; the parrot's address is known, for the talker asks no name server.
std::string busy(int port) {
  std::string text = kBusy;
  const auto put = [&](const std::string& what, const std::string& with) {
    text.replace(text.find(what), what.size(), with);
  };
  put("PORT", std::to_string(port));
  put("ADDRESS", "10.213.7.50");
  put("probe parrot 7,", "probe parrot 7, networks: {default: {ipv4_address: 10.213.7.50}},");
  return text;
}

TEST_F(CrashLoadTest, ASupervisorThatIsKilledBreaksNothing) {
  const int port = support::free_port();
  manifest(busy(port));
  up({"--wait"});
  const std::vector<std::string> lasting = {"parrot", "talker", "writer", "watched"};
  const std::vector<pid_t> before = pids(lasting);
  Conversation v4("127.0.0.1", port, 8), v6("::1", port, 8);
  for (int round = 0; round < 5; ++round) {
    replace_supervisor(5);
    EXPECT_TRUE(v4.goes_on()) << v4.broken();
    EXPECT_TRUE(v6.goes_on()) << v6.broken();
    const std::size_t tried = tries();
    EXPECT_TRUE(wait_until([&] { return tries() > tried + 1; })) << "health checks go on";
    const pid_t again = init_pid("again");
    ::kill(again, SIGKILL);
    EXPECT_TRUE(runs_anew("again", again)) << "its policy starts it again";
  }
  EXPECT_EQ(pids(lasting), before);
  const std::size_t said = split_lines(logs("talker")).size();
  EXPECT_TRUE(wait_until([&] { return split_lines(logs("talker")).size() > said; }));
  EXPECT_THAT(logs("talker"), Not(HasSubstr("receive")));
  EXPECT_EQ(container("watched").at("Health"), "healthy");
  // Not a line of the log is lost or doubled.
  must({"stop", "writer"});
  long expected = 0;
  for (const std::string& line : split_lines(logs("writer")))
    ASSERT_EQ(line, "line " + std::to_string(++expected));
}

// No supervisor lives when they end: the next one finds it out, and acts on each.
TEST_F(CrashLoadTest, NoExitIsMissedWhileThereIsNoSupervisor) {
  manifest(R"(
services:
  plain: {image: IMAGE}
  always: {image: IMAGE, restart: always}
  failed: {image: IMAGE, restart: on-failure}
  content: {image: IMAGE, restart: on-failure}
  unless: {image: IMAGE, restart: unless-stopped}
  stays: {image: IMAGE}
)");
  up();
  const pid_t stays = init_pid("stays"), always = init_pid("always"), failed = init_pid("failed"),
              unless = init_pid("unless");
  {
    const auto lock = keep_supervisors_away();
    for (const char* service : {"plain", "always", "failed", "unless"}) kill_init(service);
    ::kill(init_pid("content"), SIGTERM);
    for (const char* service : {"plain", "always", "failed", "content", "unless"})
      ASSERT_TRUE(wait_until([&] { return state_record(service).at("status") == "stopped"; }));
    EXPECT_FALSE(record("plain").contains("outcome")) << "nobody was there to take it down";
  }
  EXPECT_TRUE(runs_anew("always", always));
  EXPECT_TRUE(runs_anew("failed", failed));
  EXPECT_TRUE(runs_anew("unless", unless));
  EXPECT_TRUE(wait_until([&] { return state("plain") == "exited"; }));
  EXPECT_EQ(container("plain").at("ExitCode"), 137);
  EXPECT_TRUE(wait_until([&] { return state("content") == "exited"; }));
  EXPECT_EQ(container("content").at("ExitCode"), 0);
  EXPECT_EQ(init_pid("stays"), stays);
}

// It dies in the same moment as a container, before or after it.
TEST_F(CrashLoadTest, NoExitIsMissedAtTheMomentOfTheCrash) {
  manifest("services: {again: {image: IMAGE, restart: always}, stays: {image: IMAGE}}\n");
  up();
  const pid_t stays = init_pid("stays");
  for (int round = 0; round < 10; ++round) {
    const pid_t again = init_pid("again");
    ASSERT_TRUE(wait_until([&] { return supervisor_pid().has_value(); }));
    const pid_t supervisor = *supervisor_pid();
    ::kill(round % 2 == 0 ? supervisor : again, SIGKILL);
    if (round % 4 > 1) wait_until([] { return false; }, support::milliseconds(round));
    ::kill(round % 2 == 0 ? again : supervisor, SIGKILL);
    ASSERT_TRUE(runs_anew("again", again)) << "round " << round;
  }
  EXPECT_EQ(init_pid("stays"), stays);
}

// A pause before the next start is waited for by the next supervisor.
TEST_F(CrashLoadTest, ARestartThatIsDueIsNotForgotten) {
  manifest(
      "services: {fails: {image: IMAGE, command: \"sh -c 'echo up; exit 3'\", restart: always}}\n");
  up();
  for (int round = 0; round < 2; ++round) {
    // After five ends the pause is long enough to be in the midst of it.
    ASSERT_TRUE(wait_until(
        [&] { return split_lines(logs("fails")).size() >= 5 && state("fails") == "restarting"; }));
    const std::size_t starts = split_lines(logs("fails")).size();
    replace_supervisor(1);
    EXPECT_TRUE(wait_until([&] { return split_lines(logs("fails")).size() > starts; }));
  }
}

class MonitorCrashTest : public CrashLoadTest {
 protected:
  /// Kills the monitor of a container and waits until all processes of the container are gone.
  void kill_monitor(const std::string& service) {
    const pid_t init = init_pid(service);
    ::kill(monitor_pid(service), SIGKILL);
    EXPECT_TRUE(wait_until([&] { return ::kill(init, 0) != 0; })) << service;
  }
};

TEST_F(MonitorCrashTest, ItsContainerHasFailedAndItsPolicyActs) {
  manifest(R"(
services:
  plain: {image: IMAGE, command: "sh -c 'sleep 1000 & sleep 1000 & exec probe serve'"}
  always: {image: IMAGE, restart: always}
  failed: {image: IMAGE, restart: on-failure}
  stays: {image: IMAGE}
)");
  up();
  const pid_t stays = init_pid("stays"), always = init_pid("always"), failed = init_pid("failed");
  for (const char* service : {"plain", "always", "failed"}) kill_monitor(service);
  EXPECT_TRUE(runs_anew("always", always));
  EXPECT_TRUE(runs_anew("failed", failed));
  EXPECT_TRUE(wait_until([&] { return state("plain") == "exited"; }));
  EXPECT_EQ(container("plain").at("ExitCode"), 137);
  EXPECT_EQ(record("plain").at("outcome").at("error"), "its monitor was killed");
  EXPECT_EQ(init_pid("stays"), stays);
  must({"rm", "-sf", "always", "failed", "stays"});
  const std::string dead = id("plain");
  for (const std::string& cgroup : support::stack_cgroups())
    EXPECT_THAT(cgroup, Not(HasSubstr(dead)));
  for (const std::string& process : support::stack_processes())
    EXPECT_THAT(process, Not(HasSubstr("sleep 1000")));
}

TEST_F(MonitorCrashTest, ItsPortIsFreeAndItsNameIsGone) {
  const int port = support::free_port();
  manifest("services: {a: {image: IMAGE, command: probe http 80 a, ports: ['" +
           std::to_string(port) + ":80']}, b: {image: IMAGE}}\n");
  up();
  ASSERT_TRUE(wait_until([&] { return support::http_get("::1", port).has_value(); }));
  kill_monitor("a");
  ASSERT_TRUE(wait_until([&] { return state("a") == "exited"; }));
  EXPECT_FALSE(support::can_connect("127.0.0.1", port));
  EXPECT_FALSE(support::can_connect("::1", port));
  EXPECT_NE(probe("b", {"resolve", "a"}).code, 0);
  support::listen_on(port);
  up();
  EXPECT_TRUE(wait_until([&] { return support::http_get("127.0.0.1", port).has_value(); }));
}

// Both at once: the next supervisor finds the container without its monitor.
TEST_F(MonitorCrashTest, BothAtOnce) {
  manifest("services: {always: {image: IMAGE, restart: always}, stays: {image: IMAGE}}\n");
  up();
  for (int round = 0; round < 4; ++round) {
    const pid_t always = init_pid("always");
    ASSERT_TRUE(wait_until([&] { return supervisor_pid().has_value(); }));
    const pid_t supervisor = *supervisor_pid(), monitor = monitor_pid("always");
    ::kill(round % 2 == 0 ? supervisor : monitor, SIGKILL);
    ::kill(round % 2 == 0 ? monitor : supervisor, SIGKILL);
    ASSERT_TRUE(runs_anew("always", always)) << "round " << round;
  }
}

// Nobody is left to notice: the next command finds it and clears it away.
TEST_F(MonitorCrashTest, AllMonitorsAndTheSupervisorAtOnce) {
  manifest("services: {a: {image: IMAGE, restart: always}, b: {image: IMAGE}}\n");
  up();
  const pid_t a = init_pid("a"), b = init_pid("b");
  std::vector<pid_t> all = {monitor_pid("a"), monitor_pid("b"), supervisor_pid().value()};
  for (const pid_t pid : all) ::kill(pid, SIGSTOP);  // none sees another one go
  for (const pid_t pid : all) ::kill(pid, SIGKILL);
  up();
  EXPECT_TRUE(runs_anew("a", a));
  EXPECT_EQ(state("b"), "running");
  EXPECT_NE(init_pid("b"), b);
  EXPECT_TRUE(wait_until([&] { return ::kill(a, 0) != 0 && ::kill(b, 0) != 0; }));
  must({"down"});
  expect_nothing_left();
}

}  // namespace
}  // namespace e2e
