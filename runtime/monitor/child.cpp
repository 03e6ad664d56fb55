// The child's side of a launch: ordinary code of a single thread between clone3 and execve.
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/container/cgroup.hpp"
#include "runtime/monitor/apply.hpp"
#include "runtime/monitor/hooks.hpp"
#include "runtime/monitor/launch.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/memory.hpp"

namespace monitor {

namespace {

class ChildProcess {
 public:
  ChildProcess(Launch& launch, SyncChannel sync)
      : launch_(launch), sync_(std::move(sync)), applier_(launch_, progress_) {}

  [[noreturn]] void run() {
    try {
      reset_signals();
      close_foreign_descriptors();
      ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      enter_groups();
      enter_namespaces();
      prepare();
      start();
    } catch (...) {
      report(current_failure(progress_.stage));
    }
    ::_exit(kSetupFailed);
  }

 private:
  static constexpr int kSetupFailed = 125;

  void report(const Failure& failure) {
    try {
      sync_.send(SyncMessage{.signal = Signal::failed, .pid = 0, .failure = failure, .fd = {}});
    } catch (const std::exception&) {
      ::_exit(kSetupFailed);  // nobody is there to hear it
    }
  }

  /// CLONE_CLEAR_SIGHAND leaves ignored signals ignored.
  static void reset_signals() {
    // Without libc, which keeps signals 32 and 33 for itself: they may be ignored all the same.
    struct {
      void (*handler)(int) = SIG_DFL;
      unsigned long flags = 0;
      void (*restorer)() = nullptr;
      unsigned long mask = 0;
    } action;
    for (int signal = 1; signal < NSIG; ++signal)
      ::syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
  }

  /// What the caller had open is none of the container's.
  void close_foreign_descriptors() const {
    std::vector<int> kept = {sync_.fd(), launch_.target.get(), launch_.root.get(),
                             launch_.gate.get()};
    kept.push_back(launch_.cgroup.get());
    for (const auto& entrance : launch_.cgroup_entrances) kept.push_back(entrance.get());
    for (const auto& join : launch_.joins) kept.push_back(join.fd.get());
    for (const auto& source : launch_.sources) kept.push_back(source.get());
    for (const auto& stream : launch_.streams) kept.push_back(stream.get());
    close_all_but(std::move(kept));
  }

  /// The container names the program, and /proc/self/fd/N/… names whatever we have open: from here
  /// on that is what it takes to wait for the start. Their owners are not used any more.
  void close_own_descriptors() const { close_all_but({sync_.fd(), launch_.gate.get()}); }

  /// Standard streams and preserved descriptors stay in any case.
  void close_all_but(std::vector<int> kept) const {
    for (unsigned i = 0; i < launch_.preserved; ++i) kept.push_back(static_cast<int>(3 + i));
    std::sort(kept.begin(), kept.end());
    unsigned from = 3;
    for (const int each : kept) {
      const unsigned fd = each < 3 ? 0 : static_cast<unsigned>(each);
      if (fd > from) close_range(from, fd - 1);
      from = std::max(from, fd + 1);
    }
    close_range(from, ~0U);
  }

  static void close_range(unsigned first, unsigned last) {
    os::check(::close_range(first, last, 0), [] { return std::string("close descriptors"); });
  }

  void enter_groups() {
    progress_.stage = Stage::place;
    if (launch_.cgroup && !launch_.born_in_cgroup)
      os::write_all(os::open_at(launch_.cgroup.get(), "cgroup.procs", O_WRONLY).get(), "0",
                    "cgroup.procs");
    container::enter_cgroups(launch_.cgroup_entrances);
  }

  void enter_namespaces() {
    progress_.stage = Stage::join_namespace;
    sync_.expect(Signal::go, kStepDeadline);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    // Before any namespace is joined: a procfs is one of the pid namespace of our children.
    std::optional<Procfs> procfs;
    if (!launch_.time_offsets.empty()) procfs = Procfs::open();
    join();
    if (launch_.new_cgroup_namespace) {
      progress_.stage = Stage::cgroup_namespace;
      // Only now: its root is the group of this moment, in every hierarchy.
      os::check(::unshare(CLONE_NEWCGROUP), [] { return std::string("make a cgroup namespace"); });
    }
    if (launch_.new_time_namespace) make_time_namespace(procfs);
    if (launch_.new_pid_namespace)
      os::check(::unshare(CLONE_NEWPID), [] { return std::string("make a pid namespace"); });
    if ((launch_.clone_flags & CLONE_NEWUSER) != 0) become_namespace_root();
    progress_.stage = Stage::clone;
    if (launch_.forks_again()) {
      fork_into_namespaces();
    } else {
      sync_.send(Signal::joined);
    }
    // A session of its own: no terminal of the caller's can be reached (TIOCSTI).
    os::check(::setsid(), [] { return std::string("start a session"); });
    join_new_keyring();
    progress_.stage = Stage::hook;
    const SyncMessage apply = sync_.expect(Signal::apply, std::chrono::milliseconds(-1));
    launch_.hook_state.init = os::ProcessIdentity{.pid = apply.pid, .start_time = 0};
  }

  /// The keys of who started us are not the container's. Kernels without keys have none to take.
  static void join_new_keyring() {
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS)
      throw os::Error(errno, "make a session keyring");
  }

  void join() {
    if (launch_.target) {
      os::check(::setns(launch_.target.get(), static_cast<int>(launch_.target_namespaces)),
                [] { return std::string("enter the container's namespaces"); });
      require_target_root();
    }
    // The user namespace last: the others are entered with the rights we have now.
    for (const bool user : {false, true})
      for (const JoinedNamespace& join : launch_.joins)
        if ((join.type == container::NamespaceType::user) == user)
          os::check(
              ::setns(join.fd.get(), static_cast<int>(container::namespace_clone_flag(join.type))),
              [&] {
                return "enter the given " + std::string(container::namespace_name(join.type)) +
                       " namespace";
              });
  }

  /// A mount namespace whose "/" is not the container's root would put us among host files.
  void require_target_root() const {
    if (!launch_.target_root) return;
    const os::UniqueFd root = os::open_file("/", O_PATH | O_DIRECTORY);
    if (file_identity(root.get()) != *launch_.target_root)
      throw os::Error(EXDEV, "find the container's root in its mount namespace");
  }

  void make_time_namespace(const std::optional<Procfs>& procfs) {
    os::check(::unshare(CLONE_NEWTIME), [] { return std::string("make a time namespace"); });
    std::string text;
    for (const auto& [clock, offset] : launch_.time_offsets)
      text +=
          clock + " " + std::to_string(offset.secs) + " " + std::to_string(offset.nanosecs) + "\n";
    if (procfs) procfs->write("self/timens_offsets", text);
  }

  void become_namespace_root() {
    progress_.stage = Stage::idmap;
    os::check(::setresgid(0, 0, 0), [] { return std::string("become group 0 of the namespace"); });
    os::check(::setresuid(0, 0, 0), [] { return std::string("become user 0 of the namespace"); });
  }

  /// pid and time namespaces hold for children only. CLONE_PARENT makes the new process a child of
  /// the monitor like this one, which ends.
  void fork_into_namespaces() {
    int fd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_PARENT | CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&fd);
    const long pid = os::check(::syscall(SYS_clone3, &arguments, sizeof arguments),
                               [] { return std::string("fork into the namespaces"); });
    if (pid != 0) {
      SyncMessage message;
      message.signal = Signal::joined;
      message.pid = static_cast<pid_t>(pid);
      message.fd.reset(fd);
      sync_.send(std::move(message));
      ::_exit(0);
    }
    sync_.note(Signal::joined);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  }

  void prepare() {
    use_streams();
    if (!launch_.plan.empty()) {
      applier_.run();
    } else {
      join_file_system();
    }
    if (applier_.terminal()) hand_over_terminal(*applier_.terminal());
    const container::Process& process = launch_.program.process;
    progress_.stage = Stage::lsm;
    std::optional<Procfs> procfs;
    const bool labelled = !process.selinux_label.empty() || !process.apparmor_profile.empty();
    if (labelled) procfs = Procfs::open();
    set_labels(process, procfs);
    progress_.stage = Stage::identity;
    set_attributes(launch_.program);
    progress_.stage = Stage::descriptors;
    give_streams(process);
    mark_descriptors();
    progress_.stage = Stage::limits;
    if (!launch_.in_foreign_user_namespace()) set_resource_limits(0, process.rlimits);
    assume_identity(launch_.program, progress_);
    progress_.stage = Stage::descriptors;
    close_own_descriptors();
    progress_.stage = Stage::lookup;
    program_ = find_program(process);
  }

  /// exec: all is there already.
  void join_file_system() {
    progress_.stage = Stage::console;
    const os::UniqueFd root = os::open_file("/", O_PATH | O_DIRECTORY);
    if (launch_.program.process.terminal) {
      applier_.terminal() = open_terminal(root.get(), launch_.program.process);
    } else {
      replace_null_streams(root.get());
    }
  }

  void use_streams() {
    progress_.stage = Stage::descriptors;
    for (int stream = 0; stream < 3; ++stream) {
      const int source = launch_.streams[static_cast<std::size_t>(stream)].get();
      if (source >= 0 && source != stream)
        os::check(::dup2(source, stream), [] { return std::string("use a standard stream"); });
    }
  }

  void hand_over_terminal(Terminal& terminal) {
    progress_.stage = Stage::console;
    use_terminal(terminal);
    SyncMessage message;
    message.signal = Signal::terminal;
    message.fd = std::move(terminal.master);
    sync_.send(std::move(message));
    terminal.peer.reset();
  }

  void mark_descriptors() const {
    os::check(::close_range(3 + launch_.preserved, ~0U, CLOSE_RANGE_CLOEXEC),
              [] { return std::string("mark descriptors close-on-exec"); });
    for (unsigned i = 0; i < launch_.preserved; ++i)
      ::fcntl(static_cast<int>(3 + i), F_SETFD, 0);  // not all need be open
  }

  [[noreturn]] void start() {
    ::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    progress_.stage = Stage::gate;
    sync_.send(Signal::ready);
    wait_at_gate();
    if (!launch_.hooks.start_container.empty()) {
      progress_.stage = Stage::hook;
      launch_.hook_state.status = container::Status::created;
      run_hooks(launch_.hooks.start_container, "startContainer", oci_state(launch_.hook_state));
    }
    progress_.stage = Stage::exec;
    execute(launch_.program, program_);
  }

  void wait_at_gate() {
    while (launch_.gate) {
      const int connection = ::accept4(launch_.gate.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0 && errno == EINTR) continue;
      os::check(connection, [] { return std::string("wait for start"); });
      sync_.replace(os::UniqueFd(connection));
      const auto message = sync_.receive(std::chrono::milliseconds(-1));
      if (!message) continue;  // it only looked whether somebody is here
      launch_.gate.reset();
      return;
    }
    sync_.expect(Signal::run, std::chrono::milliseconds(-1));
  }

  Launch& launch_;
  SyncChannel sync_;
  Progress progress_;
  Applier applier_;
  std::string program_;
};

}  // namespace

void run_child(Launch& launch, SyncChannel sync) {
  os::populate_program(kUsedStack);
  ChildProcess(launch, std::move(sync)).run();
}

}  // namespace monitor
