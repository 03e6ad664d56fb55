// Docker's default seccomp policy (moby/profiles, seccomp/default.json) as data.
#include <algorithm>
#include <array>
#include <cerrno>

#include "runtime/container/seccomp.hpp"

namespace container {
namespace {

// Allowed to everyone. Names that an architecture lacks are no mistake.
constexpr std::string_view kAlways = R"(
_llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod
chown chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime
clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range
creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2
epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2
fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32
fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64
futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents
getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer
getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid
getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32
getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl ioprio_get
ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32
lgetxattr link linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr
lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat
mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open
mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl
msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open
openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll
ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64
pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg
recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2
restart_syscall riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo
sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list
set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups
setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat
shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall
socketpair splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range
syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64
timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink
unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write
writev
)";

struct CapabilityGroup {
  std::string_view capability;
  std::string_view names;
};

// Allowed to who has the capability.
constexpr std::array<CapabilityGroup, 14> kByCapability = {{
    {"CAP_DAC_READ_SEARCH", "open_by_handle_at"},
    {"CAP_SYS_ADMIN",
     "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie "
     "lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount "
     "open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog "
     "umount umount2 unshare"},
    {"CAP_SYS_BOOT", "reboot"},
    {"CAP_SYS_CHROOT", "chroot"},
    {"CAP_SYS_MODULE", "delete_module init_module finit_module"},
    {"CAP_SYS_PACCT", "acct"},
    {"CAP_SYS_PTRACE",
     "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"},
    {"CAP_SYS_RAWIO", "iopl ioperm"},
    {"CAP_SYS_TIME", "settimeofday stime clock_settime clock_settime64"},
    {"CAP_SYS_TTY_CONFIG", "vhangup"},
    {"CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
    {"CAP_SYSLOG", "syslog"},
    {"CAP_BPF", "bpf"},
    {"CAP_PERFMON", "perf_event_open"},
}};

struct ArchitectureGroup {
  std::string_view architectures;  // Docker's names
  std::string_view names;
};

constexpr std::array<ArchitectureGroup, 6> kByArchitecture = {{
    {"ppc64le", "sync_file_range2 swapcontext"},
    {"arm arm64",
     "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"},
    {"amd64 x32", "arch_prctl"},
    {"amd64 x32 x86", "modify_ldt"},
    {"s390 s390x", "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr"},
    {"riscv64", "riscv_flush_icache"},
}};

// CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}: clone(2) must not make namespaces.
constexpr std::uint64_t kNamespaceFlags = 0x7E020000;

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> result;
  std::size_t begin = 0;
  while ((begin = text.find_first_not_of(" \n", begin)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(" \n", begin), text.size());
    result.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return result;
}

SeccompRule allow(std::string_view names, std::vector<SeccompArgument> args = {}) {
  return {.names = words(names),
          .action = SeccompAction::allow,
          .errno_ret = {},
          .args = std::move(args)};
}

bool has(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// Every address family but AF_ALG (38) and AF_VSOCK (40). The kernel looks at the lower 32 bits of
// the argument, this comparison at all 64: "above 40" would let 0x100000028 through, so the
// families above are named by their binary prefixes, up to 255.
void add_sockets(std::vector<SeccompRule>& rules) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  rules.push_back(allow("socket", {{0, 38, 0, SeccompOperator::less}}));
  rules.push_back(allow("socket", {{0, 39, 0, SeccompOperator::equal}}));
  rules.push_back(allow("socket", {{0, 41, 0, SeccompOperator::equal}}));
  for (const auto& [first, count] :
       {std::pair<std::uint64_t, std::uint64_t>{42, 2}, {44, 4}, {48, 16}, {64, 64}, {128, 128}}) {
    rules.push_back(
        allow("socket", {{0, kAll - (count - 1), first, SeccompOperator::masked_equal}}));
  }
}

void add_clone(const SeccompEnvironment& environment, std::vector<SeccompRule>& rules) {
  if (has(environment.capabilities, "CAP_SYS_ADMIN")) return;
  const bool is_s390 = environment.architecture.starts_with("s390");
  rules.push_back(
      allow("clone", {{is_s390 ? 1U : 0U, kNamespaceFlags, 0, SeccompOperator::masked_equal}}));
  // Its flags are in memory, where a filter cannot look: libc falls back to clone on ENOSYS.
  rules.push_back({.names = {"clone3"}, .action = SeccompAction::error, .errno_ret = ENOSYS});
}

std::vector<std::string> architectures_for(std::string_view architecture) {
  if (architecture == "amd64") return {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  if (architecture == "arm64") return {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
  if (architecture == "s390x") return {"SCMP_ARCH_S390X", "SCMP_ARCH_S390"};
  if (architecture == "riscv64") return {"SCMP_ARCH_RISCV64"};
  if (architecture == "ppc64le") return {"SCMP_ARCH_PPC64LE"};
  if (architecture == "mips64") {
    return {"SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64N32"};
  }
  if (architecture == "mips64le") {
    return {"SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64N32"};
  }
  return {};
}

}  // namespace

Seccomp default_seccomp(const SeccompEnvironment& environment) {
  Seccomp policy;
  policy.default_action = SeccompAction::error;
  policy.default_errno_ret = EPERM;
  policy.architectures = architectures_for(environment.architecture);
  std::vector<SeccompRule>& rules = policy.syscalls;
  rules.push_back(allow(kAlways));
  // Before 4.8 ptrace could change a system call after the filter had seen it (seccomp(2)).
  if (std::pair(environment.kernel_major, environment.kernel_minor) >= std::pair(4, 8)) {
    rules.push_back(allow("process_vm_readv process_vm_writev ptrace"));
  }
  add_sockets(rules);
  // PER_LINUX, PER_LINUX32, each with UNAME26 or without, and the query (personality(2)).
  for (const std::uint64_t persona : {0x0ULL, 0x8ULL, 0x20000ULL, 0x20008ULL, 0xffffffffULL}) {
    rules.push_back(allow("personality", {{0, persona, 0, SeccompOperator::equal}}));
  }
  for (const ArchitectureGroup& group : kByArchitecture) {
    if (has(words(group.architectures), environment.architecture)) {
      rules.push_back(allow(group.names));
    }
  }
  for (const CapabilityGroup& group : kByCapability) {
    if (has(environment.capabilities, group.capability)) rules.push_back(allow(group.names));
  }
  add_clone(environment, rules);
  return policy;
}

}  // namespace container
