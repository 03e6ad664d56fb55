#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/container/capability.hpp"
#include "runtime/container/seccomp_program.hpp"

namespace container {
namespace {

struct Probe {
  const char* what;
  long number;
  std::array<long, 3> args;
  int expected;  // errno; 0: allowed
};

// The probes of a default container: the answer is the filter's, or the kernel's behind it.
const std::vector<Probe>& probes() {
  static const std::vector<Probe> kProbes = {
      {"io_uring_setup", 425, {1, 0, 0}, EPERM},
      {"keyctl", SYS_keyctl, {0, 0, 0}, EPERM},
      {"unshare(NEWUSER)", SYS_unshare, {0x10000000, 0, 0}, EPERM},
      {"setns", SYS_setns, {-1, 0, 0}, EPERM},
      {"mount", SYS_mount, {0, 0, 0}, EPERM},
      {"pivot_root", SYS_pivot_root, {0, 0, 0}, EPERM},
      {"bpf", SYS_bpf, {0, 0, 0}, EPERM},
      {"perf_event_open", SYS_perf_event_open, {0, 0, 0}, EPERM},
      {"userfaultfd", SYS_userfaultfd, {0, 0, 0}, EPERM},
      {"open_by_handle_at", SYS_open_by_handle_at, {-1, 0, 0}, EPERM},
      {"clock_settime", SYS_clock_settime, {0, 0, 0}, EPERM},
      {"personality(0x40000)", SYS_personality, {0x40000, 0, 0}, EPERM},
      {"socket(40)", SYS_socket, {40, SOCK_STREAM, 0}, EPERM},
      {"clone3", SYS_clone3, {0, 0, 0}, ENOSYS},
      {"467", 467, {0, 0, 0}, ENOSYS},
      {"470", 470, {0, 0, 0}, ENOSYS},
      {"500", 500, {0, 0, 0}, ENOSYS},
      {"name_to_handle_at", SYS_name_to_handle_at, {-100, 0, 0}, EFAULT},
      {"statmount", 457, {0, 0, 0}, EFAULT},
      {"getppid", SYS_getppid, {0, 0, 0}, 0},
      {"personality(query)", SYS_personality, {0xffffffff, 0, 0}, 0},
  };
  return kProbes;
}

TEST(SeccompKernel, AnswersLikeADefaultContainer) {
  const SeccompProgram program = compile_seccomp(
      default_seccomp(seccomp_environment(capability_names(default_capabilities()))));
  for (const Probe& probe : probes()) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      install_seccomp(program, 0);
      errno = 0;
      const long result =
          ::syscall(probe.number, probe.args[0], probe.args[1], probe.args[2], 0, 0);
      ::_exit(result < 0 ? errno : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status)) << probe.what;
    EXPECT_EQ(WEXITSTATUS(status), probe.expected) << probe.what;
  }
}

}  // namespace
}  // namespace container
