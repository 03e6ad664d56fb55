#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "tests/support/probe/probe.hpp"

namespace probe {
namespace {

// A node may be made; the device rules keep it from being opened.
long open_node(mode_t kind, unsigned major, unsigned minor, int flags) {
  const char* path = "/tmp/probe-node";
  ::unlink(path);
  if (::mknod(path, kind | 0600, makedev(major, minor)) != 0) return -1;
  const int fd = ::open(path, flags | O_CLOEXEC);
  const int errnum = errno;
  ::unlink(path);
  if (fd >= 0) ::close(fd);
  errno = errnum;
  return fd;
}

// A socket of a family; closed again.
long open_socket(int family) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int errnum = errno;
  if (fd >= 0) ::close(fd);
  errno = errnum;
  return fd;
}

struct Attempt {
  const char* name;
  long (*run)();
};

// Each with arguments that do no harm where it is allowed: they fail later, by another errno.
const Attempt kAttempts[] = {
    {"mount", [] { return static_cast<long>(::mount("none", "/", "tmpfs", 0, nullptr)); }},
    {"umount2", [] { return static_cast<long>(::umount2("/nowhere", 0)); }},
    {"unshare-user", [] { return static_cast<long>(::unshare(CLONE_NEWUSER)); }},
    {"unshare-net", [] { return static_cast<long>(::unshare(CLONE_NEWNET)); }},
    {"setns", [] { return static_cast<long>(::setns(-1, 0)); }},
    {"pivot_root", [] { return ::syscall(SYS_pivot_root, "/nowhere", "/nowhere"); }},
    {"keyctl", [] { return ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3, 0); }},
    {"add_key", [] { return ::syscall(SYS_add_key, "user", "x", "x", 1, -3); }},
    {"bpf", [] { return ::syscall(SYS_bpf, BPF_MAP_CREATE, nullptr, 0); }},
    {"perf_event_open", [] { return ::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0); }},
    {"init_module", [] { return ::syscall(SYS_init_module, nullptr, 0, ""); }},
    {"kexec_load", [] { return ::syscall(SYS_kexec_load, 0, 0, nullptr, 0); }},
    {"reboot", [] { return ::syscall(SYS_reboot, 0, 0, 0, nullptr); }},
    {"swapon", [] { return ::syscall(SYS_swapon, "/nowhere", 0); }},
    {"settimeofday", [] { return ::syscall(SYS_settimeofday, nullptr, nullptr); }},
    {"clock_settime", [] { return ::syscall(SYS_clock_settime, 0, nullptr); }},
    {"open_by_handle_at", [] { return ::syscall(SYS_open_by_handle_at, -1, nullptr, 0); }},
    {"process_vm_readv",
     [] { return ::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0); }},
    {"userfaultfd", [] { return ::syscall(SYS_userfaultfd, -1); }},
    {"acct", [] { return ::syscall(SYS_acct, "/nowhere"); }},
    {"clone3", [] { return ::syscall(SYS_clone3, nullptr, 0); }},
    {"io_uring_setup", [] { return ::syscall(SYS_io_uring_setup, 0, nullptr); }},
    {"unknown", [] { return ::syscall(1000); }},
    {"chroot", [] { return static_cast<long>(::chroot("/nowhere")); }},
    {"mknod-null",
     [] {
       const long result = ::mknod("/tmp/probe-null", S_IFCHR | 0600, makedev(1, 3));
       if (result == 0) ::unlink("/tmp/probe-null");
       return result;
     }},
    {"open-disk", [] { return open_node(S_IFBLK, 8, 0, O_RDONLY); }},
    {"open-mem", [] { return open_node(S_IFCHR, 1, 1, O_RDONLY); }},
    {"open-port", [] { return open_node(S_IFCHR, 1, 4, O_RDONLY); }},
    {"open-kmsg", [] { return open_node(S_IFCHR, 1, 11, O_RDONLY); }},
    {"open-fuse", [] { return open_node(S_IFCHR, 10, 229, O_RDWR); }},
    {"open-kvm", [] { return open_node(S_IFCHR, 10, 232, O_RDWR); }},
    {"open-tty1", [] { return open_node(S_IFCHR, 4, 1, O_RDWR); }},
    {"open-null", [] { return open_node(S_IFCHR, 1, 3, O_RDWR); }},
    {"socket-alg", [] { return open_socket(38); }},
    {"socket-vsock", [] { return open_socket(40); }},
    {"socket-unix", [] { return open_socket(AF_UNIX); }},
    {"personality", [] { return ::syscall(SYS_personality, 0x40000); }},
    {"clone-user",
     [] { return ::syscall(SYS_clone, CLONE_NEWUSER, nullptr, nullptr, nullptr, 0); }},
    {"statmount", [] { return ::syscall(457, nullptr, nullptr, 0, 0); }},
    {"name_to_handle_at",
     [] { return ::syscall(SYS_name_to_handle_at, AT_FDCWD, nullptr, nullptr, nullptr, 0); }},
    {"newest", [] { return ::syscall(470, 0, 0, 0, 0); }},
    {"sethostname",
     [] {
       char name[65];
       ::gethostname(name, sizeof name);
       return static_cast<long>(::sethostname(name, std::strlen(name)));
     }},
    {"setuid-0", [] { return static_cast<long>(::setuid(0)); }},
    {"chown", [] { return static_cast<long>(::chown("/tmp", 0, 0)); }},
};

// In a child, for some change the process for good, and a filter may kill instead of refusing.
void attempt(const Attempt& attempt) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    errno = 0;
    const int errnum = attempt.run() < 0 ? errno : 0;
    std::printf("%s %s\n", attempt.name, errno_name(errnum).c_str());
    std::fflush(stdout);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) std::printf("%s killed by %d\n", attempt.name, WTERMSIG(status));
}

int try_calls(const Arguments& arguments) {
  for (const Attempt& one : kAttempts) {
    bool wanted = arguments.empty();
    for (const std::string& name : arguments) wanted = wanted || name == one.name;
    if (wanted) attempt(one);
  }
  return 0;
}

int open_path(const Arguments& arguments) {
  const std::string mode = argument(arguments, 1, "r");
  const int flags = mode == "w" ? O_WRONLY : mode == "rw" ? O_RDWR : O_RDONLY;
  const int fd = ::open(argument(arguments, 0).c_str(), flags | O_CLOEXEC | O_NOFOLLOW);
  const int errnum = fd < 0 ? errno : 0;
  if (fd >= 0) ::close(fd);
  std::puts(errno_name(errnum).c_str());
  return 0;
}

}  // namespace

const std::vector<Verb>& permission_verbs() {
  static const std::vector<Verb> verbs = {
      {"try", "[CALL…]   the errno of system calls", try_calls},
      {"open", "PATH [r|w|rw]", open_path},
  };
  return verbs;
}

}  // namespace probe
