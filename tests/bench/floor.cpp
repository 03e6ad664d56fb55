// The kernel's floor: what a container costs when nothing is done but what the kernel must do for
// it. The benchmarks print these figures beside those of whole engines.
//
//   floor containers COUNT ROOT     clone with all namespaces, overlay of ROOT, pivot_root, exec of
//                                   /bin/true, reaped; two at a time, as there are two processors
//   floor log BYTES FILE            BYTES through a pipe into FILE
//   floor peak COMMAND…             megabytes that the command needed at most
//
// Prints milliseconds but for the last. Needs root. Nothing is left.
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

void check(long result, const char* what) {
  if (result < 0) fail(what);
}

// In the container: its root, and the program.
[[noreturn]] void become(const std::string& directory, const std::string& root) {
  check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private");
  const std::string merged = directory + "/merged";
  const std::string options =
      "lowerdir=" + root + ",upperdir=" + directory + "/upper,workdir=" + directory + "/work";
  check(::mount("overlay", merged.c_str(), "overlay", 0, options.c_str()), "mount overlay");
  check(::mount("proc", (merged + "/proc").c_str(), "proc", 0, nullptr), "mount proc");
  check(::chdir(merged.c_str()), "chdir");
  check(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
  check(::umount2(".", MNT_DETACH), "umount2");
  ::execl("/bin/true", "true", nullptr);
  fail("exec /bin/true");
}

pid_t start(const std::string& directory, const std::string& root) {
  clone_args arguments{};
  arguments.flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET;
  arguments.exit_signal = SIGCHLD;
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  check(pid, "clone3");
  if (pid == 0) become(directory, root);
  return static_cast<pid_t>(pid);
}

void containers(int count, const std::string& root) {
  constexpr int kAtOnce = 2;
  std::string scratch = "/var/tmp/stack-floor-XXXXXX";
  if (::mkdtemp(scratch.data()) == nullptr) fail("mkdtemp");
  const auto begin = Clock::now();
  int running = 0;
  for (int i = 0; i < count; ++i) {
    const std::string directory = scratch + "/" + std::to_string(i);
    for (const char* name : {"", "/upper", "/work", "/merged"})
      check(::mkdir((directory + name).c_str(), 0700), "mkdir");
    if (++running > kAtOnce) {
      check(::wait(nullptr), "wait");
      --running;
    }
    start(directory, root);
  }
  while (::wait(nullptr) > 0) {
  }
  const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
  std::filesystem::remove_all(scratch);
  std::printf("%.2f\n", took.count());
}

void log(std::size_t bytes, const std::string& path) {
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), "pipe2");
  const auto begin = Clock::now();
  std::thread writer([&] {
    const std::vector<char> block(64 * 1024, 'x');
    for (std::size_t left = bytes; left > 0;) {
      const ssize_t written = ::write(ends[1], block.data(), std::min(left, block.size()));
      check(written, "write");
      left -= static_cast<std::size_t>(written);
    }
    ::close(ends[1]);
  });
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  check(file, "open");
  std::vector<char> block(64 * 1024);
  for (ssize_t got = 0; (got = ::read(ends[0], block.data(), block.size())) > 0;)
    check(::write(file, block.data(), static_cast<std::size_t>(got)), "write");
  writer.join();
  const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
  ::close(file);
  ::unlink(path.c_str());
  std::printf("%.2f\n", took.count());
}

/// Runs a program and prints the most memory that it had, in MB.
int peak(char** command) {
  const pid_t child = ::fork();
  check(child, "fork");
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    ::execvp(command[0], command);
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  check(::wait4(child, &status, 0, &usage), "wait");
  std::printf("%.1f\n", static_cast<double>(usage.ru_maxrss) / 1024);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && std::string(argv[1]) == "peak") return peak(argv + 2);
  const std::string verb = argc == 4 ? argv[1] : "";
  if (verb == "containers") {
    containers(std::atoi(argv[2]), argv[3]);
  } else if (verb == "log") {
    log(std::strtoull(argv[2], nullptr, 10), argv[3]);
  } else {
    std::fputs("floor containers COUNT ROOT | floor log BYTES FILE | floor peak COMMAND…\n",
               stderr);
    return 2;
  }
  return 0;
}
