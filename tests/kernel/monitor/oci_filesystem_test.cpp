// What an OCI bundle says of the file system, its devices and what may be called, seen from inside:
// the checks of the runtime-tools validation suite, by their names there.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor_client.hpp"
#include "oci_runtime.hpp"
#include "runtime/container/bundle.hpp"
#include "runtime/container/cgroup.hpp"
#include "runtime/container/state.hpp"
#include "runtime/os/process.hpp"

namespace monitor_test {
namespace {

class OciFileSystem : public OciTest {};

container::Mount mount_of(const std::string& type, const std::string& source,
                          const std::string& destination, std::vector<std::string> options) {
  container::Mount mount;
  mount.type = type;
  mount.source = source;
  mount.destination = destination;
  mount.options = std::move(options);
  return mount;
}

// default
TEST_F(OciFileSystem, DefaultsAreThere) {
  const std::string text = output(
      "for f in fd stdin stdout stderr ptmx; do readlink /dev/$f; done; "
      "for d in null zero full random urandom tty; do test -c /dev/$d && echo $d; done; "
      "for d in proc sys dev/pts dev/shm; do test -d /$d && echo $d; done",
      [](container::Spec&) {});
  EXPECT_EQ(text,
            "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n"
            "null\nzero\nfull\nrandom\nurandom\ntty\nproc\nsys\ndev/pts\ndev/shm\n");
}

// root_readonly_true
TEST_F(OciFileSystem, ARootCanBeReadOnly) {
  EXPECT_THAT(output("touch /x; touch /dev/shm/x && echo shm",
                     [](container::Spec& spec) { spec.root->readonly = true; }),
              AllOf(HasSubstr("/x: Read-only file system"), HasSubstr("shm\n")));
}

// mounts
TEST_F(OciFileSystem, MountsHaveTheirOptionsInTheirOrder) {
  const os::TempDir directory;
  ::chmod(directory.path().c_str(), 0755);
  os::make_directories(directory.path() + "/below", 0755);
  const std::string text =
      output("grep ' /m' /proc/self/mountinfo; touch /m/ro/x; touch /m/tmp/x && echo written",
             [&](container::Spec& spec) {
               spec.mounts.push_back(mount_of("tmpfs", "tmpfs", "/m", {"mode=0750", "noexec"}));
               spec.mounts.push_back(
                   mount_of("bind", directory.path(), "/m/ro", {"rbind", "ro", "nosuid", "nodev"}));
               spec.mounts.push_back(mount_of("tmpfs", "tmpfs", "/m/tmp", {"size=64k", "noatime"}));
             });
  EXPECT_THAT(text, HasSubstr(" /m rw,noexec,relatime - tmpfs tmpfs rw,mode=750"));
  EXPECT_THAT(text, HasSubstr(" /m/ro ro,nosuid,nodev,relatime"));
  EXPECT_THAT(text, HasSubstr(" /m/tmp rw,noatime - tmpfs tmpfs rw,size=64k"));
  EXPECT_THAT(text, AllOf(HasSubstr("/m/ro/x: Read-only file system"), HasSubstr("written")));
}

TEST_F(OciFileSystem, RecursiveReadOnlyReachesMountsBelow) {
  const os::TempDir directory;
  ::chmod(directory.path().c_str(), 0755);
  os::make_directories(directory.path() + "/below", 0755);
  ASSERT_EQ(::mount("tmpfs", (directory.path() + "/below").c_str(), "tmpfs", 0, nullptr), 0);
  for (const char* option : {"ro", "rro"}) {
    const std::string text = output("touch /m/below/x && echo written", [&](container::Spec& spec) {
      spec.mounts.push_back(mount_of("bind", directory.path(), "/m", {"rbind", option}));
    });
    EXPECT_EQ(text.find("written") != std::string::npos, std::string(option) == "ro") << text;
  }
  ::umount2((directory.path() + "/below").c_str(), MNT_DETACH);
}

// linux_rootfs_propagation
TEST_F(OciFileSystem, TheRootPropagatesAsItIsTold) {
  for (const auto& [name, shown] : {std::pair{"shared", "shared:"},
                                    {"slave", ""},
                                    {"private", ""},
                                    {"unbindable", "unbindable"}}) {
    const std::string text =
        output("grep ' / r[wo]' /proc/self/mountinfo",
               [&, name = name](container::Spec& spec) { spec.linux.rootfs_propagation = name; });
    if (*shown != '\0') {
      EXPECT_THAT(text, HasSubstr(shown)) << name;
    } else {
      EXPECT_THAT(text, AllOf(Not(HasSubstr("shared:")), Not(HasSubstr("unbindable")))) << name;
    }
  }
  const Bundle bad({"true"}, [](auto& spec) { spec.linux.rootfs_propagation = "loud"; });
  EXPECT_THAT(oci_.refused({"create", "--bundle", bad.path(), bad.id()}), HasSubstr("loud"));
}

// linux_masked_paths, linux_readonly_paths
TEST_F(OciFileSystem, PathsAreMaskedAndReadOnly) {
  const os::TempDir directory;
  fs::copy(busybox_root(), directory.path(),
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  ::chmod(directory.path().c_str(), 0755);
  os::make_directories(directory.path() + "/d/inner", 0755);
  os::write_file_atomic(directory.path() + "/d/inner/file", "secret\n");
  os::write_file_atomic(directory.path() + "/f", "secret\n");
  fs::create_symlink("d", directory.path() + "/link");
  ::mknod((directory.path() + "/node").c_str(), S_IFCHR | 0666, makedev(1, 5));
  const std::string look =
      "cat /d/inner/file /f /link/inner/file; ls /d /link; head -c 1 /node | wc -c; "
      "touch /d/x /link/x /f; echo x > /f";
  const auto prepare = [&](container::Spec& spec) { spec.root->path = directory.path(); };
  const std::vector<std::string> paths = {"/d", "/f", "/link", "/node", "/missing", "/d"};
  EXPECT_THAT(output(look,
                     [&](container::Spec& spec) {
                       prepare(spec);
                       spec.linux.masked_paths = paths;
                     }),
              AllOf(Not(HasSubstr("secret")), Not(HasSubstr("inner\n")), HasSubstr("\n0\n"),
                    HasSubstr("/d/x: Read-only file system")));
  EXPECT_THAT(
      output(look,
             [&](container::Spec& spec) {
               prepare(spec);
               spec.linux.readonly_paths = paths;
             }),
      AllOf(HasSubstr("secret\nsecret\nsecret\n"), HasSubstr("/d:\ninner\n"),
            HasSubstr("/d/x: Read-only file system"), HasSubstr("/link/x: Read-only file system"),
            HasSubstr("can't create /f: Read-only file system")));
  for (auto edit : {+[](container::Spec& spec) { spec.linux.masked_paths = {"relative"}; },
                    +[](container::Spec& spec) { spec.linux.readonly_paths = {"relative"}; }}) {
    const Bundle bundle({"true"}, edit);
    EXPECT_THAT(oci_.refused({"create", "--bundle", bundle.path(), bundle.id()}),
                HasSubstr("not absolute"));
  }
}

// linux_devices, linux_sysctl
TEST_F(OciFileSystem, DevicesAndSettingsAreThoseGiven) {
  EXPECT_EQ(output("ls -ln /dev/test1 /dev/sub/test2 | grep -o '^[a-z-]*\\|[0-9]*,  *[0-9]*'; "
                   "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shmmni",
                   [](container::Spec& spec) {
                     container::Device one;
                     one.type = 'c';
                     one.path = "/dev/test1";
                     one.major = 10;
                     one.minor = 666;
                     one.file_mode = 0432;
                     container::Device two = one;
                     two.type = 'b';
                     two.path = "/dev/sub/test2";
                     two.major = 8;
                     two.minor = 666;
                     spec.linux.devices = {one, two};
                     spec.linux.sysctl = {{"net.core.somaxconn", "234"}, {"kernel/shmmni", "345"}};
                   }),
            "br---wx-w-\n8, 666\ncr---wx-w-\n10, 666\n234\n345\n");
}

// linux_seccomp
TEST_F(OciFileSystem, ForbiddenCallsFailAsTold) {
  const std::string text =
      output("sleep 0; hostname changed; cat /proc/self/status | grep Seccomp:",
             [](container::Spec& spec) {
               container::Seccomp policy;
               policy.default_action = container::SeccompAction::allow;
               container::SeccompRule rule;
               rule.names = {"sethostname"};
               rule.action = container::SeccompAction::error;
               rule.errno_ret = ENETDOWN;
               policy.syscalls = {rule};
               spec.linux.seccomp = policy;
               spec.process->capabilities->effective.emplace_back("CAP_SYS_ADMIN");
               spec.process->capabilities->permitted.emplace_back("CAP_SYS_ADMIN");
               spec.process->capabilities->bounding.emplace_back("CAP_SYS_ADMIN");
             });
  EXPECT_THAT(text, AllOf(HasSubstr("Network is down"), HasSubstr("Seccomp:\t2")));
}

/// A process whose root is busybox only by chroot(2), in a mount namespace of its own with all of
/// the host's files.
pid_t start_in_chroot() {
  const std::string root = busybox_root();  // made with its first use: not in the child
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::unshare(CLONE_NEWNS) != 0 || ::chroot(root.c_str()) != 0 || ::chdir("/") != 0) ::_exit(1);
    ::execl("/bin/busybox", "sleep", "60", nullptr);
    ::_exit(1);
  }
  return pid;
}

// What an engine that could not pivot would leave: entering the mount namespace is entering the
// host.
TEST_F(OciFileSystem, Sec40_ExecEntersNoOtherRootThanTheContainers) {
  const pid_t pid = start_in_chroot();
  const std::string process = "/proc/" + std::to_string(pid);
  ASSERT_TRUE(support::wait_until(
      [&] { return fs::read_symlink(process + "/root").string() == busybox_root(); }));
  const Bundle bundle({"sleep", "60"});
  const std::string directory = oci_.root() + "/" + bundle.id();
  os::make_directories(directory);
  fs::copy(bundle.path() + "/config.json", directory + "/config.json");
  auto groups = container::Cgroup::create(container::CgroupLayout::detect(),
                                          "/stack-test-" + bundle.id() + "/" + bundle.id());
  for (const auto& [name, path] : groups.paths())
    os::write_to(path + "/cgroup.procs", std::to_string(pid));
  container::State state;
  state.id = bundle.id();
  state.bundle = bundle.path();
  state.status = container::Status::running;
  state.boot_id = os::boot_id();
  state.init = os::identify(pid);
  state.cgroups = groups.paths();
  container::write_state(container::StatePaths(directory), state);
  const support::Output output = oci_.run({"exec", bundle.id(), "/bin/sh", "-c", "echo entered"});
  EXPECT_NE(output.code, 0);
  EXPECT_THAT(output.out, Not(HasSubstr("entered")));
  EXPECT_THAT(output.err, HasSubstr("the container's root"));
  oci_.must({"delete", "--force", bundle.id()});
  ::waitpid(pid, nullptr, 0);
}

// An engine that runs in a chroot itself: nothing of what is above may stay within reach.
TEST_F(OciFileSystem, Sec40_NothingAboveAChrootOfTheEngineIsLeft) {
  const os::TempDir directory;
  const std::string root = directory.path();
  const Bundle bundle({"sleep", "60"}, [](container::Spec& spec) {
    spec.linux.cgroups_path = "/stack-test-chroot/one";
  });
  const pid_t pid = ::fork();
  if (pid == 0) {
    const bool ready = ::unshare(CLONE_NEWNS) == 0 &&
                       ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       ::mount("/", root.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
                       ::chroot(root.c_str()) == 0 && ::chdir("/") == 0;
    if (!ready) ::_exit(99);
    const std::string runtime = runtime_path();
    ::execl(runtime.c_str(), runtime.c_str(), "--root", oci_.root().c_str(), "run", "--detach",
            "--bundle", bundle.path().c_str(), bundle.id().c_str(), nullptr);
    ::_exit(98);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(oci_.must({"exec", bundle.id(), "/bin/sh", "-c",
                       "ls / | grep -c usr; grep -c -v proc /proc/self/mountinfo > /dev/null; "
                       "grep \" / / \\| /tmp\" /proc/self/mountinfo | grep -c -v ' / / '; readlink "
                       "/proc/1/root"}),
            "0\n1\n/\n");
}

}  // namespace
}  // namespace monitor_test
