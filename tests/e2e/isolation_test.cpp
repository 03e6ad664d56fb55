// What a container sees and may do by default, looked at from inside (Compose D6, A2).
#include <unistd.h>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class IsolationTest : public support::StackTest {
 protected:
  void start_one(const std::string& rest = "") {
    manifest("services: {a: {image: IMAGE" + (rest.empty() ? "" : ", " + rest) + "}}\n");
    up();
  }
  std::string of_init(const std::string& field) {
    const std::string all = ask("a", {"cat", "/proc/1/status"});
    for (const std::string& line : split_lines(all))
      if (line.rfind(field + ":", 0) == 0) return line.substr(field.size() + 2);
    return {};
  }
};

// D6.12
TEST_F(IsolationTest, HasNamespacesOfItsOwn) {
  start_one();
  const std::string inside = ask("a", {"namespaces"});
  for (const char* name : {"ipc", "mnt", "net", "pid", "uts"})
    EXPECT_THAT(inside,
                Not(HasSubstr(
                    std::filesystem::read_symlink(std::string("/proc/self/ns/") + name).string())))
        << name;
  EXPECT_THAT(inside, HasSubstr(std::filesystem::read_symlink("/proc/self/ns/user").string()));
}

TEST_F(IsolationTest, SeesOnlyItsOwnProcesses) {
  start_one();
  EXPECT_THAT(ask("a", {"cat", "/proc/1/cmdline"}), HasSubstr("probe"));
  std::vector<std::string> processes = split_lines(ask("a", {"ls", "/proc"}));
  std::erase_if(processes, [](const std::string& name) {
    return name.find_first_not_of("0123456789") != std::string::npos;
  });
  EXPECT_EQ(processes.size(), 2U) << "PID 1 and the one that looks";
  EXPECT_NE(probe("a", {"exists", "/proc/" + std::to_string(::getpid())}).code, 0);
}

// D6.5
TEST_F(IsolationTest, DefaultCapabilities) {
  start_one();
  EXPECT_EQ(of_init("CapEff"), "00000000a80425fb");
  EXPECT_EQ(of_init("CapPrm"), "00000000a80425fb");
  EXPECT_EQ(of_init("CapBnd"), "00000000a80425fb");
  EXPECT_EQ(of_init("CapInh"), "0000000000000000");
  EXPECT_EQ(of_init("CapAmb"), "0000000000000000");
}

TEST_F(IsolationTest, ANonRootUserHasNone) {
  start_one("user: app");
  EXPECT_EQ(of_init("CapEff"), "0000000000000000");
  EXPECT_EQ(of_init("CapBnd"), "00000000a80425fb");
}

// A2: cap_add, cap_drop
TEST_F(IsolationTest, CapabilitiesAreAddedAndDropped) {
  start_one("cap_drop: [ALL], cap_add: [net_admin, CAP_CHOWN]");
  EXPECT_EQ(of_init("CapEff"), "0000000000001001");
}

// D6.6, A2: security_opt
TEST_F(IsolationTest, SeccompIsOnAndRefuses) {
  start_one();
  EXPECT_EQ(of_init("Seccomp"), "2");
  EXPECT_EQ(of_init("NoNewPrivs"), "0");
  const std::string tried = ask("a", {"try"});
  for (const char* call :
       {"mount", "keyctl", "bpf", "perf_event_open", "init_module", "kexec_load", "reboot",
        "swapon", "open_by_handle_at", "userfaultfd", "unshare-user", "setns", "settimeofday"})
    EXPECT_THAT(tried, HasSubstr(std::string(call) + " EPERM\n"));
  for (const char* call : {"umount2", "unshare-net", "clone-user", "pivot_root", "add_key", "acct",
                           "clock_settime", "io_uring_setup", "personality", "sethostname"})
    EXPECT_THAT(tried, HasSubstr(std::string(call) + " EPERM\n"));
  EXPECT_THAT(tried, AllOf(HasSubstr("clone3 ENOSYS\n"), HasSubstr("unknown ENOSYS\n"),
                           HasSubstr("newest ENOSYS\n"), HasSubstr("chown ok\n")));
  // These reach the kernel, which may be older than the one that brought statmount(2).
  constexpr long kStatmount = 457;
  const bool known = ::syscall(kStatmount, nullptr, nullptr, 0, 0) != 0 && errno != ENOSYS;
  EXPECT_THAT(tried, AllOf(HasSubstr(known ? "statmount EFAULT\n" : "statmount ENOSYS\n"),
                           HasSubstr("name_to_handle_at EFAULT\n")));
}

TEST_F(IsolationTest, SeccompCanBeTurnedOff) {
  start_one("security_opt: ['seccomp=unconfined', no-new-privileges]");
  EXPECT_EQ(of_init("Seccomp"), "0");
  EXPECT_EQ(of_init("NoNewPrivs"), "1");
}

// D6.7
TEST_F(IsolationTest, KernelFilesAreMaskedAndReadOnly) {
  start_one();
  for (const char* path : {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/interrupts"}) {
    if (probe("a", {"exists", path}).code != 0) continue;
    EXPECT_EQ(ask("a", {"cat", path}), "") << path;
  }
  for (const char* path : {"/proc/acpi", "/proc/scsi", "/sys/firmware"}) {
    if (probe("a", {"exists", path}).code != 0) continue;
    EXPECT_EQ(ask("a", {"ls", path}), "") << path;
  }
  EXPECT_EQ(ask("a", {"open", "/proc/sys/kernel/hostname", "w"}), "EROFS\n");
  if (probe("a", {"exists", "/proc/sysrq-trigger"}).code == 0) {
    EXPECT_EQ(ask("a", {"open", "/proc/sysrq-trigger", "w"}), "EROFS\n");
  }
  EXPECT_THAT(probe("a", {"write", "/sys/x", "y"}).out,
              testing::AnyOf(HasSubstr("EROFS"), HasSubstr("EPERM"), HasSubstr("EACCES")));
  for (const char* path : {"/proc/sys/kernel/core_pattern", "/proc/sys/net/ipv4/ip_forward",
                           "/proc/sys/vm/overcommit_memory", "/proc/irq/default_smp_affinity",
                           "/sys/kernel/mm/transparent_hugepage/enabled"}) {
    if (probe("a", {"exists", path}).code != 0) continue;
    EXPECT_EQ(ask("a", {"open", path, "w"}), "EROFS\n") << path;
  }
  EXPECT_EQ(probe("a", {"write", "/proc/1/oom_score_adj", "-1000"}).code, 1);
}

// D6.9
TEST_F(IsolationTest, MountsAreTheUsualOnes) {
  start_one();
  const std::string mounts = ask("a", {"mounts"});
  for (const char* pattern : {" / / [^\n]* overlay ", " /proc [^\n]* proc ", " /dev [^\n]* tmpfs ",
                              " /dev/pts [^\n]* devpts ", " /dev/shm [^\n]* tmpfs ",
                              " /dev/mqueue [^\n]* mqueue ", " /sys ro[^\n]* sysfs "})
    EXPECT_THAT(mounts, ContainsRegex(pattern));
  EXPECT_THAT(mounts, Not(HasSubstr("put_old")));
}

// D6.10
TEST_F(IsolationTest, DevicesAreTheUsualOnes) {
  start_one();
  EXPECT_THAT(ask("a", {"stat", "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                        "/dev/urandom", "/dev/tty"}),
              AllOf(HasSubstr("c 0666 0 0 1:3 /dev/null"), HasSubstr("1:5"), HasSubstr("1:7"),
                    HasSubstr("1:8"), HasSubstr("1:9"), HasSubstr("5:0")));
  EXPECT_EQ(ask("a", {"ls", "/dev"}),
            "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\n"
            "urandom\nzero\n");
  for (const char* node :
       {"open-disk", "open-mem", "open-port", "open-kmsg", "open-fuse", "open-kvm", "open-tty1"})
    EXPECT_EQ(ask("a", {"try", node}), std::string(node) + " EPERM\n");
  EXPECT_EQ(ask("a", {"try", "open-null"}), "open-null ok\n");
  EXPECT_THAT(ask("a", {"try", "mknod-null"}), HasSubstr("mknod-null ok"));
}

// A2: devices
TEST_F(IsolationTest, DevicesCanBeAdded) {
  start_one("devices: ['/dev/null:/dev/extra:r']");
  EXPECT_THAT(ask("a", {"stat", "/dev/extra"}), HasSubstr("1:3"));
}

TEST_F(IsolationTest, NoDescriptorIsInherited) {
  start_one("command: \"sh -c 'probe fds; exec probe serve'\"");
  ASSERT_TRUE(wait_until([&] { return logs("a").find("ready") != std::string::npos; }));
  const std::vector<std::string> lines = split_lines(logs("a"));
  ASSERT_EQ(lines.size(), 4U) << logs("a");
  EXPECT_EQ(lines[0], "0 /dev/null");
  EXPECT_THAT(lines[1], HasSubstr("1 pipe:"));
  EXPECT_THAT(lines[2], HasSubstr("2 pipe:"));
}

// D6.1
TEST_F(IsolationTest, EnvironmentIsTheKnownOne) {
  start_one("environment: {MINE: yes}, command: \"sh -c 'probe env; exec probe serve'\"");
  ASSERT_TRUE(wait_until([&] { return logs("a").find("ready") != std::string::npos; }));
  const std::string log = logs("a");
  EXPECT_THAT(
      log, AllOf(HasSubstr("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"),
                 HasSubstr("HOSTNAME=" + id("a") + "\n"), HasSubstr("MINE=yes\n"),
                 HasSubstr("HOME=/root\n"), Not(HasSubstr("STACK_"))));
}

// D6.3, A2: user, group_add, working_dir
TEST_F(IsolationTest, UsersAndGroups) {
  manifest(R"(
services:
  named: {image: IMAGE, user: app, working_dir: /made/for/it}
  pair: {image: IMAGE, user: "1000:3000"}
  numbers: {image: IMAGE, user: "4321", group_add: [other, "77"]}
)");
  up();
  EXPECT_THAT(ask("named", {"id"}),
              AllOf(HasSubstr("uid=1000 gid=1000"), HasSubstr("2000"), HasSubstr("umask=0022")));
  EXPECT_EQ(ask("named", {"cwd"}), "/made/for/it\n");
  EXPECT_THAT(ask("pair", {"id"}), AllOf(HasSubstr("uid=1000 gid=3000"), Not(HasSubstr("2000"))));
  EXPECT_THAT(ask("numbers", {"id"}),
              AllOf(HasSubstr("uid=4321 gid=0"), HasSubstr("77"), HasSubstr("3000")));
}

TEST_F(IsolationTest, UnknownUsersAreRefused) {
  manifest("services: {a: {image: IMAGE, user: nobody-here}}\n");
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err,
              HasSubstr("unable to find user nobody-here: no matching entries in passwd file"));
}

// A2: hostname, domainname, sysctls, oom_score_adj
TEST_F(IsolationTest, NamesAndKernelSettings) {
  start_one(
      "hostname: box, domainname: example.test, sysctls: {net.core.somaxconn: 77}, oom_score_adj: "
      "500");
  EXPECT_EQ(ask("a", {"hostname"}), "box example.test\n");
  EXPECT_EQ(ask("a", {"cat", "/proc/sys/net/core/somaxconn"}), "77\n");
  EXPECT_EQ(ask("a", {"cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"}), "0\n") << "D6.8";
  EXPECT_EQ(ask("a", {"cat", "/proc/1/oom_score_adj"}), "500\n");
}

TEST_F(IsolationTest, ForeignSysctlsAreRefused) {
  manifest("services: {a: {image: IMAGE, sysctls: {kernel.panic: 1}}}\n");
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err,
              HasSubstr("sysctl \"kernel.panic\" is not in a separate kernel namespace"));
}

// A2: privileged
TEST_F(IsolationTest, PrivilegedHasAll) {
  start_one("privileged: true");
  EXPECT_EQ(of_init("Seccomp"), "0");
  EXPECT_THAT(ask("a", {"caps"}), HasSubstr("CapEff:\t000001ff"));
  EXPECT_EQ(ask("a", {"open", "/proc/sys/kernel/hostname", "w"}), "ok\n");
}

// A2: tty, stdin_open
TEST_F(IsolationTest, TerminalWhenAsked) {
  start_one("tty: true, command: \"sh -c 'probe tty; probe env TERM; exec probe serve'\"");
  ASSERT_TRUE(wait_until([&] { return logs("a").find("ready") != std::string::npos; }));
  EXPECT_THAT(logs("a"), AllOf(HasSubstr("0 tty"), HasSubstr("1 tty"), HasSubstr("2 tty"),
                               HasSubstr("xterm")));
  EXPECT_EQ(ask("a", {"stat", "/dev/console"}).substr(0, 1), "c");
}

TEST_F(IsolationTest, OpenInputIsKept) {
  start_one("stdin_open: true, command: probe echo");
  EXPECT_FALSE(wait_until([&] { return state("a") != "running"; }, std::chrono::milliseconds(300)));
}

// A2: pid, ipc
TEST_F(IsolationTest, NamespacesCanBeShared) {
  manifest(R"(
services:
  a: {image: IMAGE, ipc: shareable}
  b: {image: IMAGE, pid: "service:a", ipc: "service:a"}
)");
  up();
  const std::string a = ask("a", {"namespaces"}), b = ask("b", {"namespaces"});
  const auto line = [](const std::string& text, std::size_t index) {
    return split_lines(text).at(index);
  };
  EXPECT_EQ(line(a, 1), line(b, 1)) << "ipc";
  EXPECT_EQ(line(a, 4), line(b, 4)) << "pid";
  EXPECT_NE(line(a, 2), line(b, 2)) << "mnt";
}

// A2: command, entrypoint, with the words as they are split.
TEST_F(IsolationTest, ArgumentsArriveAsWritten) {
  manifest(R"(
services:
  text: {image: IMAGE, command: probe words one 'two three' "four"}
  list: {image: IMAGE, command: [probe, words, "one two", ""]}
  entry: {image: IMAGE, entrypoint: probe words first, command: second}
)");
  up();
  const auto ended = [&](const char* service) { return state(service) == "exited"; };
  ASSERT_TRUE(wait_until([&] { return ended("text") && ended("list") && ended("entry"); }));
  EXPECT_EQ(logs("text"), "[one]\n[two three]\n[four]\n");
  EXPECT_EQ(logs("list"), "[one two]\n[]\n");
  EXPECT_EQ(logs("entry"), "[first]\n[second]\n");
}

// A2: env_file
TEST_F(IsolationTest, EnvironmentFilesAreRead) {
  write("one.env", "A=one\nB=one\n");
  write("two.env", "B=two\nC='quoted $A'\n");
  start_one("env_file: [one.env, two.env], environment: {A: service}");
  EXPECT_EQ(ask("a", {"env", "A"}), "service\n");
  EXPECT_EQ(ask("a", {"env", "B"}), "two\n");
  EXPECT_EQ(ask("a", {"env", "C"}), "quoted $A\n");
}

}  // namespace
}  // namespace e2e
