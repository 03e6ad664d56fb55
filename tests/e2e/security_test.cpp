// Known attacks on container engines, each in its harmless form, against the real program. The
// number is that of the row in docs/security.md; tests/kernel/monitor has those on the runtime
// alone.
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/os/channel.hpp"
#include "runtime/os/error.hpp"
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class Sec : public support::StackTest {
 protected:
  void start_one(const std::string& rest = "") {
    manifest("services: {a: {image: IMAGE" + (rest.empty() ? "" : ", " + rest) + "}}\n");
    up();
  }
  /// The directory of this test hides all that is in it, which is the program's task.
  void let_others_in() {
    const std::string data = data_directory();
    ASSERT_EQ(::chmod(data.substr(0, data.rfind('/')).c_str(), 0755), 0);
  }
  /// `up` of one service must fail, with these words.
  void expect_refused(const std::string& rest, const std::string& why) {
    manifest("services: {a: {image: IMAGE, " + rest + "}}\n");
    const Output output = stack({"up", "-d"});
    EXPECT_THAT(output, ExitsWith(1)) << rest;
    EXPECT_THAT(output.err, HasSubstr(why)) << rest;
    stack({"down", "--timeout", "0"});
  }
};

/// What `work` returns when it is done as another user of this machine.
int as_nobody(const std::function<int()>& work) {
  return support::in_child([&] {
    constexpr unsigned kNobody = 65534;
    if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)
      return 100;
    return work();
  });
}

// CVE-2019-5736, CVE-2016-9962
TEST_F(Sec, Sec02_AnExecGivesNothingAway) {
  start_one("command: probe watch 6000");
  ASSERT_TRUE(wait_until([&] { return logs("a").find("watching") != std::string::npos; }));
  const std::string hash = os::read_file(support::runtime_executable(), std::size_t{512} << 20);
  while (logs("a").find("done") == std::string::npos)
    for (int i = 0; i < 10; ++i) stack({"exec", "-T", "a", "true"});
  EXPECT_THAT(logs("a"),
              AllOf(HasSubstr("seen"), Not(HasSubstr("EXECUTABLE")), Not(HasSubstr("PATH")),
                    Not(HasSubstr("DESCRIPTOR")), Not(HasSubstr("TRACED"))));
  EXPECT_TRUE(os::read_file(support::runtime_executable(), std::size_t{512} << 20) == hash);
}

// CVE-2024-21626
TEST_F(Sec, Sec03_OnlyTheStandardStreamsAreOpen) {
  manifest(R"(
services:
  a:
    image: IMAGE
    healthcheck: {test: "probe fds > /tmp/health", interval: 1s}
  once: {image: IMAGE, command: probe fds}
)");
  up({"--wait", "a"});
  for (const std::string& fds :
       {ask("a", {"fds"}), ask("a", {"cat", "/tmp/health"}), must({"run", "--rm", "-T", "once"})}) {
    const auto lines = split_lines(fds);
    ASSERT_EQ(lines.size(), 3U) << fds;
    for (std::size_t i = 0; i < lines.size(); ++i)
      EXPECT_EQ(lines[i].substr(0, 2), std::to_string(i) + " ") << fds;
  }
  for (int fd = 0; fd < 20; ++fd)
    EXPECT_NE(stack({"exec", "-T", "-w", "/proc/self/fd/" + std::to_string(fd), "a", "pwd"}).code,
              0);
}

// CVE-2022-0492
TEST_F(Sec, Sec13_ControlGroupsCannotBeWritten) {
  start_one();
  EXPECT_THAT(
      ask("a", {"try", "unshare-user", "unshare-net", "clone-user", "mount", "setns"}),
      "mount EPERM\nunshare-user EPERM\nunshare-net EPERM\nsetns EPERM\nclone-user EPERM\n");
  for (const std::string& hierarchy : split_lines(ask("a", {"ls", "/sys/fs/cgroup"})))
    for (const char* file : {"cgroup.procs", "devices.allow", "release_agent", "notify_on_release",
                             "memory.limit_in_bytes", "memory.max", "tasks"}) {
      const std::string path = "/sys/fs/cgroup/" + hierarchy + "/" + file;
      EXPECT_THAT(ask("a", {"open", path, "w"}), AnyOf("EROFS\n", "ENOENT\n", "ENOTDIR\n")) << path;
    }
  EXPECT_THAT(ask("a", {"mounts"}), HasSubstr("/sys/fs/cgroup"));
}

// CVE-2020-15257
TEST_F(Sec, Sec14_NobodyElseTalksToASupervisorOrAMonitor) {
  start_one("network_mode: host");
  let_others_in();
  for (const std::string& line : split_lines(ask("a", {"cat", "/proc/net/unix"}))) {
    const auto name = line.rfind(" @");
    if (name == std::string::npos) continue;
    EXPECT_THAT(line.substr(name), Not(HasSubstr("stack")));
  }
  for (const std::string& path : {run_directory() + "/projects/" + project() + "/supervisor.sock",
                                  run_directory() + "/containers/" + id("a") + "/monitor.sock"}) {
    ASSERT_TRUE(os::exists(path));
    EXPECT_EQ(as_nobody([&] {
                try {
                  return os::connect_channel(path) ? 0 : 1;
                } catch (const os::Error& error) {
                  return error.code() == EACCES ? 2 : 3;
                }
              }),
              2)
        << path;
  }
}

// CVE-2022-24769, CVE-2022-29162
TEST_F(Sec, Sec15_InheritableCapabilitiesAreEmpty) {
  manifest(R"(
services:
  a:
    image: IMAGE
    cap_add: [NET_ADMIN]
    healthcheck: {test: "probe caps > /tmp/health", interval: 1s}
  once: {image: IMAGE, command: probe caps, privileged: true}
)");
  up({"--wait", "a"});
  const Output privileged = stack({"exec", "-T", "--privileged", "a", "probe", "caps"});
  for (const std::string& caps :
       {ask("a", {"caps"}), ask("a", {"cat", "/tmp/health"}), ask("a", {"cat", "/proc/1/status"}),
        privileged.out, must({"run", "--rm", "-T", "once"})})
    EXPECT_THAT(caps, AllOf(HasSubstr("CapInh:\t0000000000000000"),
                            HasSubstr("CapAmb:\t0000000000000000")));
}

// CVE-2022-36109, CVE-2023-25173: being a member of a group can mean to be denied.
TEST_F(Sec, Sec16_GroupsOfAUserAreAllThere) {
  write("denied", "secret\n", 0604);
  ASSERT_EQ(::chown((directory() + "/denied").c_str(), 0, 1000), 0);
  manifest(R"(
services:
  name: {image: IMAGE, user: app, volumes: ["./denied:/denied"]}
  number: {image: IMAGE, user: "1000", volumes: ["./denied:/denied"]}
  pair: {image: IMAGE, user: "4000:1000", volumes: ["./denied:/denied"]}
  added: {image: IMAGE, user: "4000:4000", group_add: [app], volumes: ["./denied:/denied"]}
  other: {image: IMAGE, user: "4000:4000", volumes: ["./denied:/denied"]}
)");
  up();
  for (const char* service : {"name", "number", "pair", "added"})
    EXPECT_EQ(ask(service, {"open", "/denied"}), "EACCES\n") << service;
  EXPECT_EQ(ask("other", {"open", "/denied"}), "ok\n");
  EXPECT_THAT(ask("name", {"id"}), HasSubstr("uid=1000 gid=1000 groups=1000,2000 "));
  EXPECT_THAT(ask("number", {"id"}), HasSubstr("uid=1000 gid=1000 groups=1000,2000 "));
  EXPECT_THAT(ask("pair", {"id"}), HasSubstr("uid=4000 gid=1000 groups=1000 "));
  EXPECT_THAT(ask("added", {"id"}), HasSubstr("uid=4000 gid=4000 groups=1000,4000 "));
}

// CVE-2016-3697, CVE-2026-46680, CVE-2026-30892
TEST_F(Sec, Sec17_AUserIsWhoTheTextSays) {
  write("passwd", "root:x:0:0::/:/bin/sh\n1000:x:0:0::/:/bin/sh\n1x:x:0:0::/:/bin/sh\n");
  start_one("volumes: ['./passwd:/etc/passwd']");
  const auto user = [&](const std::string& text) {
    return stack({"exec", "-T", "-u", text, "a", "probe", "id"});
  };
  EXPECT_THAT(user("1000").out, HasSubstr("uid=1000 ")) << "a number, whatever passwd calls so";
  EXPECT_THAT(user("1:2").out, HasSubstr("uid=1 gid=2 groups=2 "));
  EXPECT_THAT(user("2147483647").out, HasSubstr("uid=2147483647 "));
  for (const char* text : {"2147483648", "4294967295", "4294967296", "18446744073709551616", "-1",
                           "0x0", ":", "1:", ":1", "1:2:3", "1:-1", "1:4294967296", " 0", "0 "})
    EXPECT_NE(user(text).code, 0) << text;
}

// CVE-2017-1002101, CVE-2021-25741
TEST_F(Sec, Sec20_ASubpathStaysInItsVolume) {
  manifest(R"(
services:
  maker:
    image: IMAGE
    command: sh -c 'mkdir -p /v/in/side; echo mine > /v/in/side/f; ln -s /etc /v/etc; ln -s ../../../.. /v/up; sleep 100'
    volumes: ["data:/v"]
volumes: {data: }
)");
  up();
  ASSERT_TRUE(wait_until([&] { return probe("maker", {"stat", "/v/up"}).code == 0; }));
  const auto list = [&](const std::string& subpath) {
    manifest(
        "services:\n  maker: {image: IMAGE, command: sleep 100, volumes: ['data:/v']}\n"
        "  user: {image: IMAGE, command: probe ls /part, volumes: [{type: volume, source: data, "
        "target: /part, volume: {subpath: '" +
        subpath + "'}}]}\nvolumes: {data: }\n");
    return stack({"run", "--rm", "-T", "--no-deps", "user"});
  };
  EXPECT_EQ(list("in/side").out, "f\n");
  for (const char* path : {"etc", "up", "in/../..", "../../..", "up/etc", "/etc"})
    EXPECT_THAT(list(path).out, AllOf(Not(HasSubstr("passwd")), Not(HasSubstr("shadow")),
                                      Not(HasSubstr("volume.json")), Not(HasSubstr("boot"))))
        << path;
}

// CVE-2020-13401
TEST_F(Sec, Sec29_NoRouterIsBelieved) {
  manifest(R"(
services: {victim: {image: IMAGE}, attacker: {image: IMAGE}}
networks: {default: {enable_ipv6: true}}
)");
  up();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("attacker", {"advertise", "eth0"}), "sent\n");
  EXPECT_EQ(ask("victim", {"cat", "/proc/sys/net/ipv6/conf/eth0/accept_ra"}), "0\n");
  EXPECT_THAT(ask("victim", {"cat", "/proc/net/ipv6_route"}), Not(HasSubstr("20010db80bad")));
  EXPECT_THAT(ask("victim", {"addresses"}), Not(HasSubstr("2001:db8:bad")));
}

// CVE-2026-31431
TEST_F(Sec, Sec32_FamiliesThatReachTooFarAreBlocked) {
  start_one();
  EXPECT_EQ(ask("a", {"try", "socket-alg", "socket-vsock", "socket-unix"}),
            "socket-alg EPERM\nsocket-vsock EPERM\nsocket-unix ok\n");
}

// CVE-2021-41091, CVE-2024-25621
TEST_F(Sec, Sec33_OthersReachNothingOfTheData) {
  manifest("services: {a: {image: IMAGE, volumes: ['data:/data']}}\nvolumes: {data: {}}\n");
  up();
  let_others_in();
  std::vector<std::string> paths;
  for (const std::string& top : {data_directory(), run_directory()})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top))
      paths.push_back(entry.path().string());
  EXPECT_GT(paths.size(), 100U);
  EXPECT_EQ(as_nobody([&] {
              for (const std::string& path : paths)
                if (::access(path.c_str(), F_OK) == 0) return 0;
              return 1;
            }),
            1);
  for (const std::string& top : {data_directory(), run_directory()}) {
    struct stat status {};
    ASSERT_EQ(::stat(top.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 077, 0U) << top;
  }
}

// GHSA-6fw5-f8r9-fgfm, GHSA-jq35-85cj-fj4p
TEST_F(Sec, Sec35_CountersOfTheHostAreHidden) {
  start_one();
  EXPECT_EQ(ask("a", {"cat", "/proc/interrupts"}), "");
  std::string masked = ask("a", {"mounts"});
  for (const char* path : {"/sys/devices/virtual/powercap", "/sys/firmware", "/proc/acpi",
                           "/proc/scsi", "/sys/devices/system/cpu/cpu0/thermal_throttle"}) {
    if (!os::exists(path)) continue;
    EXPECT_EQ(ask("a", {"ls", path}), "") << path;
    EXPECT_THAT(masked, HasSubstr(std::string(" ") + path + " ro,")) << path;
  }
  for (const char* path : {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug"})
    EXPECT_TRUE(!os::exists(path) || ask("a", {"cat", path}).empty()) << path;
}

TEST_F(Sec, Sec36_ATerminalOfOursIsNotTheContainers) {
  manifest(R"(
services: {a: {image: IMAGE}, p: {image: IMAGE, privileged: true}}
)");
  up();
  CommandOptions options;
  options.terminal = true;
  for (const char* service : {"a", "p"}) {
    const Output typed = start({"exec", "-T", service, "probe", "type", "reboot"}, options).wait();
    EXPECT_THAT(typed.out, HasSubstr("ENOTTY")) << service;
    EXPECT_THAT(typed.out, Not(HasSubstr("reboot"))) << service;
    EXPECT_THAT(start({"exec", "-T", service, "probe", "tty"}, options).wait().out,
                HasSubstr("0 no\r\n1 no\r\n2 no\r\n"))
        << service;
  }
  Command echo = start({"exec", "-T", "a", "probe", "echo"}, options);
  echo.write_input("line\n\x04");
  EXPECT_THAT(echo.wait().out, HasSubstr("line\r\nline\r\n"));
}

TEST_F(Sec, Sec37_NamesAreNoPaths) {
  for (const char* name : {"../x", "a/b", "a b", "a\\nb", "/etc", "a;b", "é"}) {
    write("compose.yaml", std::string("services: {\"") + name + "\": {image: test}}\n");
    EXPECT_NE(stack({"up", "-d"}).code, 0) << "service " << name;
    write("compose.yaml",
          std::string("services: {a: {image: test, container_name: \"") + name + "\"}}\n");
    EXPECT_NE(stack({"up", "-d"}).code, 0) << "container " << name;
    write("compose.yaml", std::string("services: {a: {image: test, volumes: [{type: volume, "
                                      "source: \"") +
                              name + "\", target: /v}]}}\nvolumes: {\"" + name + "\": {}}\n");
    EXPECT_NE(stack({"up", "-d"}).code, 0) << "volume " << name;
    manifest("services: {a: {image: IMAGE}}\n");
    EXPECT_NE(stack({"-p", name, "up", "-d"}).code, 0) << "project " << name;
    EXPECT_NE(stack({"volume", "rm", name}).code, 0) << "volume rm " << name;
  }
  for (const char* name : {".", "..", "../x", "a/b", "/x"}) {
    for (const std::string kind : {"volumes", "networks"}) {
      manifest("services: {a: {image: IMAGE, " + kind + ": ['n" + (kind == "volumes" ? ":/v" : "") +
               "']}}\n" + kind + ": {n: {name: '" + name + "'}}\n");
      EXPECT_NE(stack({"up", "-d"}).code, 0) << kind << " " << name;
    }
    EXPECT_NE(stack({"-p", name, "up", "-d"}).code, 0) << "project " << name;
    EXPECT_NE(stack({"volume", "rm", name}).code, 0) << "volume rm " << name;
  }
  EXPECT_THAT(containers(), IsEmpty());
}

TEST_F(Sec, Sec38_SettingsOfTheHostAreRefused) {
  // Each with the value that it has: where one is let through, nothing changes.
  for (const char* name :
       {"kernel.panic", "kernel.core_uses_pid", "vm.swappiness", "fs.file-max",
        "kernel/core_uses_pid", "net/../kernel/core_uses_pid", "net/./../kernel/core_uses_pid",
        "kernel.hostname", "dev.tty.legacy_tiocsti", "user.max_user_namespaces"}) {
    std::string path = name;
    if (path.find('/') == std::string::npos) std::replace(path.begin(), path.end(), '.', '/');
    std::string value = os::read_file("/proc/sys/" + path);
    value.pop_back();
    expect_refused("sysctls: {\"" + std::string(name) + "\": '" + value + "'}", "sysctl");
  }
  expect_refused("network_mode: host, sysctls: {net.core.somaxconn: 1}",
                 "not allowed in host network namespace");
  expect_refused("ipc: host, sysctls: {kernel.msgmax: 8000}", "namespace of the container's own");
  expect_refused("annotations: {stack.rootfs: '{\"lower\": [\"/\"]}'}", "names that begin");
  expect_refused("pid: 'container:stranger'", "stranger");
  expect_refused("tmpfs: /proc", "/proc");
  expect_refused("tmpfs: /", "destination can't be '/'");
}

}  // namespace
}  // namespace e2e
