// A monitor and its container on the running kernel, seen from outside and from inside.
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "monitor_client.hpp"
#include "runtime/os/error.hpp"

namespace monitor_test {
namespace {

TEST(Isolation, IsThatOfDockersDefaultContainer) {
  const Bundle bundle(
      shell("grep -E 'Cap|NoNew|Seccomp:|Groups|SigBlk|SigIgn' /proc/self/status;"
            "hostname; pwd; ls /proc/1/fd; ls /dev"));
  MonitorClient client(bundle);
  const std::string text = client.output();
  EXPECT_THAT(text, ContainsRegex("CapBnd:.00000000a80425fb"));
  EXPECT_THAT(text, ContainsRegex("CapEff:.00000000a80425fb"));
  EXPECT_THAT(text, ContainsRegex("CapInh:.0000000000000000"));
  EXPECT_THAT(text, ContainsRegex("CapAmb:.0000000000000000"));
  EXPECT_THAT(text, ContainsRegex("Seccomp:.2"));
  EXPECT_THAT(text, ContainsRegex("NoNewPrivs:.0"));
  EXPECT_THAT(text, ContainsRegex("SigIgn:.0000000000000000"));
  EXPECT_THAT(text, ContainsRegex("SigBlk:.0000000000000000"));
  EXPECT_THAT(text, HasSubstr("box\n/\n0\n1\n2\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\n"
                              "stderr\nstdin\nstdout\ntty\nurandom\nzero\n"));
  EXPECT_TRUE(client.release());
}

TEST(Isolation, ShowsNoMountOfTheHost) {
  const Bundle bundle(
      shell("cat /proc/self/mountinfo; cat /proc/kcore | head -c 1;"
            "touch /proc/sys/kernel/x; ls /sys/firmware"));
  MonitorClient client(bundle);
  const std::string text = client.output();
  EXPECT_THAT(text, HasSubstr(" /proc rw,nosuid,nodev,noexec,relatime - proc"));
  EXPECT_THAT(text, HasSubstr(" /sys ro,nosuid,nodev,noexec,relatime - sysfs"));
  EXPECT_THAT(text, HasSubstr(" /proc/sys ro,nosuid,nodev,noexec,relatime"));
  EXPECT_THAT(text, HasSubstr(" /sys/firmware ro,relatime - tmpfs"));
  EXPECT_THAT(text, Not(HasSubstr("master:")));
  EXPECT_THAT(text, Not(HasSubstr("shared:")));
}

TEST(Isolation, KeepsAReadOnlyContainerOfAUser) {
  const Bundle bundle(
      shell("grep -E 'Cap(Eff|Prm|Bnd)|NoNew|Groups' /proc/self/status; ulimit -n; touch /x;"
            "touch /ro/x; pwd; cat /proc/sys/kernel/msgmax"),
      [](container::Spec& spec) {
        spec.root->readonly = true;
        spec.process->user = {.uid = 1000, .gid = 1000, .umask = {}, .additional_gids = {44}};
        spec.process->no_new_privileges = true;
        spec.process->rlimits = {{.type = "RLIMIT_NOFILE", .soft = 100, .hard = 200}};
        spec.process->cwd = "/made/for/me";
        spec.linux.sysctl["kernel.msgmax"] = "8000";
        container::Mount mount;
        mount.destination = "/ro";
        mount.type = "tmpfs";
        mount.source = "tmpfs";
        mount.options = {"ro"};
        spec.mounts.push_back(mount);
      });
  MonitorClient client(bundle);
  const std::string text = client.output();
  EXPECT_THAT(text, ContainsRegex("Groups:.44 1000"));
  EXPECT_THAT(text, ContainsRegex("CapPrm:.0000000000000000"));
  EXPECT_THAT(text, ContainsRegex("NoNewPrivs:.1"));
  EXPECT_THAT(text, HasSubstr("\n100\n"));
  EXPECT_THAT(text, HasSubstr("touch: /x: Read-only file system"));
  EXPECT_THAT(text, HasSubstr("touch: /ro/x: Read-only file system"));
  EXPECT_THAT(text, HasSubstr("/made/for/me\n8000\n"));
}

TEST(Life, ReportsEachStepAndEndsClean) {
  const Bundle bundle(shell("echo out; echo err >&2; printf rest; exit 7"));
  MonitorClient client(bundle);
  client.wait_for("namespaces");
  const Event created = client.wait_for("created");
  EXPECT_EQ(client.record().at("status"), "created");
  EXPECT_EQ(client.record().at("init").at("pid"), created.json.at("pid"));
  client.send({{"op", "start"}, {"seq", 5}});
  client.wait_for("started");
  const Event exited = client.wait_for("exited");
  EXPECT_EQ(exited.json.at("code"), 7);
  EXPECT_EQ(exited.json.at("oom_killed"), false);
  EXPECT_EQ(client.record().at("status"), "stopped");
  EXPECT_THAT(client.log(), AllOf(HasSubstr(" stdout F out\n"), HasSubstr(" stderr F err\n"),
                                  HasSubstr(" stdout P rest\n")));
  EXPECT_TRUE(client.release());
  EXPECT_FALSE(os::exists(bundle.cgroup("memory")));
  EXPECT_FALSE(os::exists(bundle.cgroup("unified")));
}

TEST(Life, TellsWhyAProgramCannotRun) {
  for (const auto& [program, code] :
       {std::pair{"nonexistent", 127}, {"/nonexistent", 127}, {"/etc", 126}}) {
    const Bundle bundle({program});
    MonitorClient client(bundle);
    const Event failed = client.start();
    EXPECT_EQ(failed.name(), "failed");
    EXPECT_EQ(failed.json.value("exit_code", 0), code) << failed.json;
    EXPECT_TRUE(client.release());
  }
}

TEST(Life, LeavesNothingOfACreationThatFailed) {
  const Bundle bundle(shell("true"), [](container::Spec& spec) {
    container::Mount mount;
    mount.destination = "/x";
    mount.type = "bind";
    mount.source = "/nonexistent";
    mount.options = {"bind"};
    spec.mounts.push_back(mount);
  });
  MonitorClient client(bundle);
  const Event failed = client.wait_for("failed");
  EXPECT_EQ(failed.json.at("stage"), "mount");
  EXPECT_EQ(failed.json.at("errno"), ENOENT);
  EXPECT_EQ(failed.json.at("exit_code"), 125);
  EXPECT_THAT(failed.json.at("message").get<std::string>(),
              AllOf(HasSubstr("/nonexistent"), HasSubstr("/x"), HasSubstr("No such file")));
  EXPECT_FALSE(os::exists(bundle.cgroup("memory") + "/" + bundle.id()));
  EXPECT_TRUE(client.release());
}

TEST(Life, ReportsSignalsAndMemory) {
  {
    const Bundle bundle({"sleep", "60"});
    MonitorClient client(bundle);
    client.start();
    client.send({{"op", "kill"}, {"signal", SIGKILL}});
    const Event exited = client.wait_for("exited");
    EXPECT_EQ(exited.json.at("code"), 137);
    EXPECT_EQ(exited.json.at("signal"), SIGKILL);
  }
  const Bundle bundle({"dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"},
                      [](container::Spec& spec) {
                        spec.linux.resources.memory.limit = 16 << 20;
                        spec.linux.resources.memory.swap = 16 << 20;
                      });
  MonitorClient client(bundle);
  client.start();
  const Event exited = client.wait_for("exited");
  EXPECT_EQ(exited.json.at("code"), 137);
  EXPECT_EQ(exited.json.at("oom_killed"), true);
  EXPECT_THAT(client.seen(), ::testing::Contains("oom"));
}

TEST(Life, PausesAndResumes) {
  const Bundle bundle({"sleep", "60"});
  MonitorClient client(bundle);
  client.start();
  client.send({{"op", "pause"}});
  client.wait_for("paused");
  EXPECT_EQ(client.record().at("status"), "paused");
  client.send({{"op", "exec"}, {"exec", "e"}, {"process", process({"true"})}});
  client.wait_for("exec_failed");
  client.send({{"op", "resume"}});
  client.wait_for("resumed");
  int code = -1;
  client.exec(process({"true"}), code);
  EXPECT_EQ(code, 0);
}

TEST(Life, RunsBelowAnInitHelper) {
  const Bundle bundle(shell("trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"),
                      [](container::Spec& spec) { spec.annotations["stack.init"] = "true"; });
  MonitorClient client(bundle);
  client.start();
  int code = -1;
  EXPECT_THAT(client.exec(process({"cat", "/proc/1/cmdline"}), code), HasSubstr("docker-init"));
  for (int i = 0; i < 500 && client.log().find("up") == std::string::npos; ++i) ::usleep(10'000);
  client.send({{"op", "kill"}, {"signal", SIGTERM}});
  EXPECT_EQ(client.wait_for("exited").json.at("code"), 9);
}

TEST(Exec, IsAsConfinedAsTheContainer) {
  const Bundle bundle({"sleep", "60"});
  MonitorClient client(bundle);
  client.start();
  int code = -1;
  auto request =
      process(shell("grep -E 'CapBnd|Seccomp:' /proc/self/status; id -u; ls /proc/$$/fd;"
                    "readlink /proc/self/exe; exit 3"));
  request["user"] = {{"uid", 1000}, {"gid", 1000}};
  const std::string text = client.exec(request, code);
  EXPECT_EQ(code, 3);
  EXPECT_THAT(text, ContainsRegex("CapBnd:.00000000a80425fb"));
  EXPECT_THAT(text, ContainsRegex("Seccomp:.2"));
  EXPECT_THAT(text, HasSubstr("1000\n0\n1\n2\n/bin/busybox\n"));
  client.exec(process({"nonexistent"}), code);
  EXPECT_EQ(code, 127);
}

TEST(Exec, GivesATerminalToWhoWantsOne) {
  const Bundle bundle({"sleep", "60"});
  MonitorClient client(bundle);
  client.start();
  client.send({{"op", "exec"}, {"exec", "t"}, {"tty", true}, {"process", process({"tty"})}});
  Event started = client.wait_for("exec_started");
  ASSERT_EQ(started.fds.size(), 1U);
  client.wait_for("exec_exited");
  char text[64] = {};
  ASSERT_GT(::read(started.fds.front().get(), text, sizeof text - 1), 0);
  EXPECT_THAT(text, HasSubstr("/dev/pts/"));
}

TEST(Exec, DiesWithTheConnectionThatAskedForIt) {
  const Bundle bundle({"sleep", "60"});
  MonitorClient client(bundle);
  client.start();
  client.send({{"op", "exec"}, {"exec", "s"}, {"process", process({"sleep", "50"})}});
  client.wait_for("exec_started");
  client.disconnect();
  client.reconnect();
  for (int i = 0; i < 500; ++i) {
    client.send({{"op", "processes"}});
    if (client.wait_for("processes").json.at("pids").size() == 1) return;
    ::usleep(10'000);
  }
  FAIL() << "the process outlived its connection";
}

TEST(Streams, TakeInputUntilItsEnd) {
  const Bundle bundle({"cat"});
  MonitorClient client(bundle, {"--stdin"});
  client.start();
  client.send({{"op", "attach"}});
  const Event attached = client.wait_for("attached");
  ASSERT_EQ(attached.fds.size(), 1U);
  const int stream = attached.fds.front().get();
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "a line of input\n";
  os::write_all(stream, text, "stream");
  ::shutdown(stream, SHUT_WR);
  EXPECT_EQ(client.wait_for("exited").json.at("code"), 0);
  const std::string log = client.log();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 20'000);
}

TEST(Streams, OfATerminalAreCopiedAndResized) {
  const Bundle bundle(shell("stty size; read x; echo got $x; stty size"),
                      [](container::Spec& spec) {
                        spec.process->terminal = true;
                        spec.process->console_size = {.height = 40, .width = 100};
                      });
  MonitorClient client(bundle);
  client.start();
  client.send({{"op", "attach"}});
  const Event attached = client.wait_for("attached");
  client.send({{"op", "resize"}, {"rows", 11}, {"cols", 22}, {"seq", 1}});
  client.wait_for("ok");
  os::write_all(attached.fds.at(0).get(), "word\n", "stream");
  client.wait_for("exited");
  EXPECT_THAT(client.log(), AllOf(HasSubstr("got word"), HasSubstr("11 22")));
}

TEST(Supervision, BringsBackASupervisorThatIsGone) {
  const os::TempDir directory;
  const std::string mark = directory.path() + "/started";
  const Bundle bundle({"sleep", "60"});
  MonitorClient client(bundle, {"--on-orphaned", R"(["/bin/sh","-c","echo x >> )" + mark + "\"]"});
  client.start();
  client.disconnect();
  for (int i = 0; i < 1000 && os::read_file_if_exists(mark).value_or("").size() < 4; ++i)
    ::usleep(10'000);
  EXPECT_GE(os::read_file_if_exists(mark).value_or("").size(), 4U);
  client.reconnect();
  client.send({{"op", "kill"}, {"signal", SIGKILL}});
  client.wait_for("exited");
  EXPECT_TRUE(client.release());
}

TEST(Namespaces, AreSharedBetweenContainers) {
  const Bundle first({"sleep", "60"});
  MonitorClient one(first);
  one.start();
  const std::string pid = std::to_string(one.record().at("init").at("pid").get<int>());
  const Bundle second(shell("ps; readlink /proc/self/ns/ipc"), [&](container::Spec& spec) {
    for (container::Namespace& wanted : spec.linux.namespaces)
      if (wanted.type == container::NamespaceType::pid ||
          wanted.type == container::NamespaceType::ipc ||
          wanted.type == container::NamespaceType::network)
        wanted.path =
            "/proc/" + pid + "/ns/" + std::string(container::namespace_proc_name(wanted.type));
  });
  MonitorClient two(second);
  const std::string text = two.output();
  EXPECT_THAT(text, HasSubstr("sleep 60"));
  EXPECT_THAT(text, HasSubstr(std::filesystem::read_symlink("/proc/" + pid + "/ns/ipc").string()));
  EXPECT_TRUE(two.release());
}

TEST(Overlay, IsMountedForTheContainerAlone) {
  const os::TempDir directory;
  for (const char* name : {"/top", "/upper", "/work", "/root"})
    os::make_directories(directory.path() + name, 0755);
  os::write_file_atomic(directory.path() + "/top/marker", "from the top layer\n", 0644);
  const Bundle bundle(shell("cat /marker; echo new > /new"), [&](container::Spec& spec) {
    spec.root->path = directory.path() + "/root";
    spec.annotations["stack.rootfs"] = nlohmann::json{
        {"lower", {directory.path() + "/top", busybox_root()}},
        {"upper", directory.path() + "/upper"},
        {"work", directory.path() + "/work"},
        {"volatile", true}}.dump();
  });
  MonitorClient client(bundle);
  EXPECT_EQ(client.output(), "from the top layer\n");
  EXPECT_TRUE(os::exists(directory.path() + "/upper/new"));
  EXPECT_THAT(os::read_file("/proc/self/mountinfo"), Not(HasSubstr(directory.path())));
}

TEST(Memory, OfAMonitorIsSmall) {
  const Bundle bundle({"sleep", "60"});
  MonitorClient client(bundle);
  client.start();
  std::ifstream rollup("/proc/" + std::to_string(client.pid()) + "/smaps_rollup");
  long anonymous = -1;
  for (std::string line; std::getline(rollup, line);)
    if (line.starts_with("Pss_Anon:")) anonymous = std::atol(line.c_str() + 9);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LE(anonymous, 1024);
#endif
  EXPECT_GE(anonymous, 0);
}

}  // namespace
}  // namespace monitor_test
