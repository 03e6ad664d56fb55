// Known attacks on container runtimes, each in its harmless form: the number is that of the row in
// docs/security.md. What must stay untouched is a canary outside of every root file system.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <sstream>
#include <thread>

#include "monitor_client.hpp"
#include "runtime/monitor/procfs.hpp"
#include "runtime/os/error.hpp"
#include "tests/support/command.hpp"

namespace monitor_test {
namespace {

container::Mount bind_of(const std::string& source, const std::string& destination) {
  container::Mount mount;
  mount.destination = destination;
  mount.type = "bind";
  mount.source = source;
  mount.options = {"rbind"};
  return mount;
}

container::Mount file_system(const std::string& type, const std::string& destination) {
  container::Mount mount;
  mount.destination = destination;
  mount.type = type;
  mount.source = type;
  return mount;
}

/// Directories of one test: `top` is the uppermost layer of an image, above busybox alone; `canary`
/// is the host's and must stay empty.
class Ground {
 public:
  Ground() : directory_("/tmp", "monitor-ground-") {
    ::chmod(directory_.path().c_str(), 0755);
    for (const char* name : {"top", "upper", "work", "root", "canary", "volume"})
      os::make_directories(path(name), 0755);
  }
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  std::vector<std::string> canary() const { return os::list_directory(path("canary")); }
  /// The container's root is busybox with `top` above.
  void use_image(container::Spec& spec) const {
    spec.root->path = path("root");
    spec.annotations["stack.rootfs"] = nlohmann::json{
        {"lower", {path("top"), busybox_root()}},
        {"upper", path("upper")},
        {"work", path("work")}}.dump();
  }

 private:
  os::TempDir directory_;
};

/// The event that ends a start, and its message.
struct Start {
  std::string event;
  std::string message;
};

Start start(const std::function<void(container::Spec&)>& edit,
            const std::vector<std::string>& options = {},
            const std::vector<std::string>& arguments = {"true"}) {
  const Bundle bundle(arguments, edit);
  MonitorClient client(bundle, options);
  const Event event = client.start();
  const Start result{event.name(), event.json.value("message", "")};
  if (result.event == "started") client.wait_for("exited");
  EXPECT_TRUE(client.release());
  return result;
}

std::size_t host_mounts() {
  const std::string text = os::read_file("/proc/self/mountinfo");
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Exchanges two names for each other as fast as it can, until it goes.
class Flipper {
 public:
  Flipper(std::string one, std::string other)
      : thread_([this, one = std::move(one), other = std::move(other)] {
          while (!stop_)
            ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
        }) {}
  Flipper(const Flipper&) = delete;
  Flipper& operator=(const Flipper&) = delete;
  ~Flipper() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// CVE-2019-5736
TEST(Sec, Sec01_TheRuntimeCannotBeWrittenThroughItsOwnProcess) {
  // Truncating is refused for the mount's sake; a file that is executed cannot be opened to write
  // in any case, for as long as it is.
  for (const char* file : {"/proc/1/exe", "/proc/self/fd/3"}) {
    const Bundle bundle({"/proc/self/exe", "init", "--", "/bin/sh", "-c",
                         std::string("exec 3< /proc/1/exe; echo x > ") + file});
    MonitorClient client(bundle);
    EXPECT_THAT(client.output(), HasSubstr("Read-only file system")) << file;
  }
}

// CVE-2016-9962: the process that waits to become another container's is seen by everyone in a
// shared pid namespace.
TEST(Sec, Sec02_AProcessThatIsStillTheRuntimeShowsNothing) {
  const Bundle first({"sleep", "60"});
  MonitorClient watcher(first);
  watcher.start();
  const std::string ns =
      "/proc/" + std::to_string(watcher.record().at("init").at("pid").get<int>()) + "/ns/pid";
  const Bundle second({"sleep", "60"}, [&](container::Spec& spec) {
    for (container::Namespace& each : spec.linux.namespaces)
      if (each.type == container::NamespaceType::pid) each.path = ns;
  });
  MonitorClient waiting(second);
  const int outside = waiting.wait_for("created").json.at("pid").get<int>();
  const std::string status = os::read_file("/proc/" + std::to_string(outside) + "/status");
  std::istringstream numbers(status.substr(status.find("NSpid:") + 6));
  std::string inside;
  numbers >> inside >> inside;
  const std::string seen = "/proc/" + inside;
  int code = -1;
  const std::string text = watcher.exec(
      process(shell("cat " + seen + "/comm; cd " + seen +
                    "; for f in exe cwd root fd/* ns/*; do readlink $f && echo LEAK $f; done;"
                    "for f in cwd/ root/ fd/*/; do ls $f && echo LEAK $f; done;"
                    "for f in environ maps mem fd/*; do head -c 1 $f && echo LEAK $f; done")),
      code);
  EXPECT_THAT(text, AllOf(HasSubstr("Permission denied"), Not(HasSubstr("LEAK")))) << seen;
  waiting.send({{"op", "start"}});
  waiting.wait_for("started");
}

// CVE-2024-21626
TEST(Sec, Sec03_NoDescriptorIsAWorkingDirectory) {
  const Ground ground;
  const Bundle running({"sleep", "60"});
  MonitorClient client(running);
  client.start();
  for (int fd = 0; fd < 40; ++fd) {
    const std::string directory = "/proc/self/fd/" + std::to_string(fd);
    fs::remove(ground.path("top/wd"));
    fs::create_symlink(directory, ground.path("top/wd"));
    EXPECT_EQ(start([&](container::Spec& spec) { spec.process->cwd = directory; }).event, "failed");
    EXPECT_EQ(start([&](container::Spec& spec) {
                ground.use_image(spec);
                spec.process->cwd = "/wd";
              }).event,
              "failed");
    auto request = process({"pwd"});
    request["cwd"] = directory;
    int code = 0;
    EXPECT_EQ(client.exec(request, code), "") << directory;
    EXPECT_NE(code, 0);
  }
}

// CVE-2024-21626, through the program's own name.
TEST(Sec, Sec03_NoProgramIsFoundThroughADescriptor) {
  const Bundle running({"sleep", "60"});
  MonitorClient client(running);
  client.start();
  for (int fd = 3; fd < 40; ++fd)
    for (const char* rest : {"/bin/true", "/../../../bin/true"}) {
      const std::string program = "/proc/self/fd/" + std::to_string(fd) + rest;
      EXPECT_EQ(start([](container::Spec&) {}, {}, {program}).event, "failed") << program;
      int code = 0;
      client.exec(process({program}), code);
      EXPECT_NE(code, 0) << program;
    }
}

// CVE-2021-30465
TEST(Sec, Sec04_AMountTargetThatIsSwappedLeadsNowhere) {
  const Ground ground;
  os::make_directories(ground.path("volume/real"), 0755);
  fs::create_symlink(ground.path("canary"), ground.path("volume/link"));
  const std::size_t before = host_mounts();
  const Flipper flipper(ground.path("volume/real"), ground.path("volume/link"));
  for (int i = 0; i < 100; ++i)
    start([&](container::Spec& spec) {
      spec.mounts.push_back(bind_of(ground.path("volume"), "/vol"));
      spec.mounts.push_back(file_system("tmpfs", "/vol/real"));
      spec.mounts.push_back(file_system("tmpfs", "/vol/real/x"));
    });
  EXPECT_THAT(ground.canary(), IsEmpty());
  EXPECT_EQ(host_mounts(), before);
}

// CVE-2025-31133
TEST(Sec, Sec05_WithoutARealNullDeviceThereIsNoMask) {
  const Ground ground;
  const std::string null = ground.path("volume/null");
  const auto make = [&](int variant) {
    ::unlink(null.c_str());
    if (variant == 1) fs::create_symlink("/proc/sys/kernel/core_pattern", null);
    if (variant == 2) os::write_file_atomic(null, "");
    if (variant == 3) ::mknod(null.c_str(), S_IFCHR | 0666, makedev(1, 5));
    if (variant == 4) fs::create_symlink("zero", null);
  };
  for (int variant = 0; variant <= 4; ++variant) {
    make(variant);
    const Start result = start(
        [&](container::Spec& spec) {
          std::erase_if(spec.mounts, [](const container::Mount& each) {
            return each.destination.starts_with("/dev");
          });
          spec.mounts.push_back(bind_of(ground.path("volume"), "/dev"));
        },
        {"--stdin"});
    EXPECT_EQ(result.event, "failed") << variant;
    EXPECT_THAT(result.message, HasSubstr("/dev/null")) << variant;
  }
}

TEST(Sec, Sec05_AFakeDevOfTheImageHasNoSay) {
  const Ground ground;
  os::make_directories(ground.path("top/dev"), 0755);
  fs::create_symlink("/etc/passwd", ground.path("top/dev/null"));
  const Bundle bundle(
      shell("for f in kcore keys timer_list; do cat /proc/$f; done 2>/dev/null | wc -c"),
      [&](container::Spec& spec) { ground.use_image(spec); });
  MonitorClient client(bundle);
  EXPECT_EQ(client.output(), "0\n");
}

// CVE-2025-52565
TEST(Sec, Sec06_TheTerminalComesFromARealDevpts) {
  const Ground ground;
  const std::string ptmx = ground.path("volume/ptmx");
  for (int variant = 0; variant < 4; ++variant) {
    ::unlink(ptmx.c_str());
    if (variant == 1) fs::create_symlink("/proc/sys/kernel/core_pattern", ptmx);
    if (variant == 2) os::write_file_atomic(ptmx, "");
    if (variant == 3) ::mknod(ptmx.c_str(), S_IFCHR | 0666, makedev(5, 2));
    const Start result = start([&](container::Spec& spec) {
      spec.process->terminal = true;
      for (container::Mount& each : spec.mounts)
        if (each.destination == "/dev/pts") each = bind_of(ground.path("volume"), "/dev/pts");
    });
    EXPECT_EQ(result.event, "failed") << variant;
    EXPECT_THAT(result.message, HasSubstr("ptmx")) << variant;
  }
}

TEST(Sec, Sec06_TheConsoleIsTheTerminal) {
  const Bundle bundle(shell("grep ' /dev/console ' /proc/self/mountinfo"),
                      [](container::Spec& spec) { spec.process->terminal = true; });
  MonitorClient client(bundle);
  EXPECT_THAT(client.output(), HasSubstr(" - devpts "));
}

/// What a child in a mount namespace of its own, free to mount what it likes, returns as its code.
int in_mount_namespace(const std::function<int()>& work) {
  return support::in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return 100;
    return work();
  });
}

bool is_refused(const monitor::Procfs& procfs, const std::string& file, const std::string& text) {
  try {
    procfs.write(file, text);
    return false;
  } catch (const os::Error&) {
    return true;
  }
}

// CVE-2025-52881, CVE-2019-16884
TEST(Sec, Sec07_WritesToProcAreNotRedirected) {
  EXPECT_EQ(in_mount_namespace([] {
              const auto procfs =
                  monitor::Procfs::from_mount(os::open_file("/proc", O_PATH | O_DIRECTORY).get());
              if (::mount("tmpfs", "/proc/sys", "tmpfs", 0, nullptr) != 0) return 1;
              os::make_directories("/proc/sys/net");
              os::write_file_atomic("/proc/sys/net/x", "before");
              if (!is_refused(procfs, "sys/net/x", "after")) return 2;
              if (os::read_file("/proc/sys/net/x") != "before") return 3;
              return 0;
            }),
            0)
      << "another file system";
  EXPECT_EQ(in_mount_namespace([] {
              const auto procfs =
                  monitor::Procfs::from_mount(os::open_file("/proc", O_PATH | O_DIRECTORY).get());
              const std::string own = "/proc/" + std::to_string(::getpid());
              if (::mount((own + "/comm").c_str(), (own + "/attr/exec").c_str(), nullptr, MS_BIND,
                          nullptr) != 0)
                return 1;
              if (!is_refused(procfs, "self/attr/exec", "stolen")) return 2;
              if (os::read_file(own + "/comm") == "stolen\n") return 3;
              return 0;
            }),
            0)
      << "another file of proc";
  EXPECT_EQ(in_mount_namespace([] {
              if (::mount("tmpfs", "/proc", "tmpfs", 0, nullptr) != 0) return 1;
              // Whatever lies on /proc: the private one is the kernel's.
              return monitor::Procfs::open().read("self/comm").empty() ? 2 : 0;
            }),
            0)
      << "the whole of it";
}

// CVE-2019-19921, CVE-2023-27561, CVE-2023-28642
TEST(Sec, Sec08_ProcAndSysAreWhereTheyBelong) {
  for (const char* name : {"proc", "sys"}) {
    const Ground ground;
    os::make_directories(ground.path("top/elsewhere"), 0755);
    fs::create_symlink("/elsewhere", ground.path(std::string("top/") + name));
    const Start result = start([&](container::Spec& spec) { ground.use_image(spec); });
    EXPECT_EQ(result.event, "failed") << name;
    EXPECT_THAT(result.message, HasSubstr(std::string("/") + name)) << name;
  }
}

TEST(Sec, Sec08_NothingIsMountedInsideProc) {
  const Ground ground;
  fs::create_symlink("proc/self", ground.path("top/alias"));
  os::write_file_atomic(ground.path("volume/file"), "");
  const std::vector<container::Mount> mounts = {
      bind_of(ground.path("volume"), "/proc"),
      bind_of("/proc/self", "/proc"),
      file_system("tmpfs", "/proc"),
      bind_of(ground.path("volume"), "/proc/self/attr"),
      bind_of(ground.path("volume/file"), "/proc/self/attr/exec"),
      bind_of(ground.path("volume"), "/proc/sys"),
      file_system("tmpfs", "/proc/sys"),
      bind_of(ground.path("volume"), "/alias/attr"),
      bind_of(ground.path("volume/file"), "/alias/attr/exec"),
      bind_of(ground.path("volume"), "/tmp/../proc/self/attr")};
  for (const container::Mount& mount : mounts)
    EXPECT_EQ(start([&](container::Spec& spec) {
                ground.use_image(spec);
                spec.mounts.push_back(mount);
              }).event,
              "failed")
        << mount.type << " on " << mount.destination;
}

// CVE-2026-41579, CVE-2026-47766
TEST(Sec, Sec18_DevicesOfALinkedDevAreMadeInside) {
  const Ground ground;
  fs::create_symlink(ground.path("canary"), ground.path("top/dev"));
  start([&](container::Spec& spec) {
    ground.use_image(spec);
    spec.process->terminal = true;
  });
  start([&](container::Spec& spec) {
    ground.use_image(spec);
    std::erase_if(spec.mounts, [](const container::Mount& each) {
      return each.destination.starts_with("/dev");
    });
  });
  EXPECT_THAT(ground.canary(), IsEmpty());
  EXPECT_TRUE(os::exists(ground.path("upper") + ground.path("canary") + "/null"));
}

// CVE-2024-45310, CVE-2026-55686
TEST(Sec, Sec19_DirectoriesBehindALinkAreMadeInside) {
  const Ground ground;
  fs::create_symlink(ground.path("canary"), ground.path("volume/link"));
  fs::create_symlink(ground.path("canary"), ground.path("top/wd"));
  const Start result = start([&](container::Spec& spec) {
    ground.use_image(spec);
    spec.mounts.push_back(bind_of(ground.path("volume"), "/vol"));
    spec.mounts.push_back(file_system("tmpfs", "/vol/link/target"));
    spec.process->cwd = "/wd/working/directory";
  });
  EXPECT_EQ(result.event, "started") << result.message;
  EXPECT_THAT(ground.canary(), IsEmpty());
  EXPECT_TRUE(os::exists(ground.path("upper") + ground.path("canary") + "/working/directory"));
}

// CVE-2017-1002101, CVE-2021-25741
TEST(Sec, Sec20_APartOfAVolumeIsInsideTheVolume) {
  const Ground ground;
  os::make_directories(ground.path("volume/real/sub"), 0755);
  os::write_file_atomic(ground.path("volume/real/sub/mine"), "");
  os::make_directories(ground.path("secret/sub"), 0755);
  os::write_file_atomic(ground.path("secret/sub/stolen"), "");
  fs::create_symlink(ground.path("secret"), ground.path("volume/link"));
  const auto list = [&](const std::string& subpath) {
    const Bundle bundle({"ls", "/part"}, [&](container::Spec& spec) {
      spec.mounts.push_back(bind_of(ground.path("volume"), "/part"));
      spec.annotations["stack.subpaths"] = nlohmann::json{{"/part", subpath}}.dump();
    });
    MonitorClient client(bundle);
    return client.output();
  };
  EXPECT_EQ(list("real/sub"), "mine\n");
  for (const char* path : {"..", "real/../..", "/", "link", "link/sub", "../../../../etc"})
    EXPECT_THAT(list(path),
                AllOf(Not(HasSubstr("stolen")), Not(HasSubstr("secret")), Not(HasSubstr("passwd"))))
        << path;
  const Flipper flipper(ground.path("volume/real"), ground.path("volume/link"));
  for (int i = 0; i < 100; ++i) EXPECT_THAT(list("real/sub"), Not(HasSubstr("stolen")));
}

}  // namespace
}  // namespace monitor_test
