#include "runtime/monitor/launch.hpp"

#include <linux/sched.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/channel.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/memory.hpp"

namespace monitor {

FileIdentity file_identity(int fd) {
  struct stat status {};
  os::check(::fstat(fd, &status), [] { return std::string("look at a descriptor"); });
  return {status.st_dev, status.st_ino};
}

bool Launch::forks_again() const {
  if (new_time_namespace || target) return true;
  for (const JoinedNamespace& join : joins)
    if (join.type == container::NamespaceType::pid || join.type == container::NamespaceType::time)
      return true;
  return false;
}

bool Launch::in_foreign_user_namespace() const {
  if (((clone_flags | target_namespaces) & CLONE_NEWUSER) != 0) return true;
  for (const JoinedNamespace& join : joins)
    if (join.type == container::NamespaceType::user) return true;
  return false;
}

namespace {

/// clone3(2) without libc's fork handlers, which a single thread does not need. 0 in the child.
pid_t clone_process(clone_args arguments, os::UniqueFd& pidfd) {
  int fd = -1;
  arguments.flags |= CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&fd);
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid > 0) pidfd.reset(fd);
  return static_cast<pid_t>(pid);
}

pid_t clone_child(Launch& launch, os::UniqueFd& pidfd) {
  clone_args arguments{};
  arguments.exit_signal = SIGCHLD;
  arguments.flags = launch.clone_flags | CLONE_CLEAR_SIGHAND;
  if (launch.cgroup) {
    clone_args into = arguments;
    into.flags |= CLONE_INTO_CGROUP;
    into.cgroup = static_cast<__u64>(launch.cgroup.get());
    launch.born_in_cgroup = true;
    const pid_t pid = clone_process(into, pidfd);
    // Where that is refused the child enters by itself, as in the v1 hierarchies.
    if (pid >= 0) return pid;
    launch.born_in_cgroup = false;
    if (errno != EACCES && errno != EBUSY && errno != EOPNOTSUPP && errno != EINVAL &&
        errno != ENOSYS && errno != EPERM)
      throw os::Error(errno, "make the container's process");
  }
  return os::check(clone_process(arguments, pidfd),
                   [] { return std::string("make the container's process"); });
}

/// A child that ended without a word: how it ended is all there is to report.
Failure silent_death(os::Child& child, Stage stage) {
  const os::ExitStatus status = child.wait();
  std::string message = "the container's first process ended while it was set up (";
  message += status.signal != 0 ? "signal " + std::to_string(status.signal)
                                : "exit code " + std::to_string(status.code);
  return {stage, 0, message + ")"};
}

class Launcher {
 public:
  Launcher(Launch& request, const LaunchObserver& observer)
      : request_(request), observer_(observer) {}

  Launched run() {
    start();
    try {
      return hand_shake();
    } catch (const os::Error& error) {
      if (error.code() != EPIPE && error.code() != ECONNRESET)
        throw StageError(current_failure(stage_));
      throw StageError(silent_death(child_, stage_));
    }
  }

 private:
  void start() {
    auto [ours, theirs] = os::make_channel();
    const bool terminal = request_.program.process.terminal;
    os::UniqueFd pidfd;
    const pid_t pid = clone_child(request_, pidfd);
    if (pid == 0) {
      ours.reset();
      run_child(request_, SyncChannel(std::move(theirs), terminal));
    }
    os::populate_program(kUsedStack);
    child_ = os::Child(pid, os::Pidfd(std::move(pidfd)));
    sync_.emplace(std::move(ours), terminal);
  }

  Launched hand_shake() {
    stage_ = Stage::place;
    if (observer_.cloned) observer_.cloned(child_.pid());
    stage_ = Stage::join_namespace;
    sync_->send(Signal::go);
    SyncMessage joined = sync_->expect(Signal::joined, kStepDeadline);
    if (joined.pid != 0) {
      os::Child intermediate =
          std::exchange(child_, os::Child(joined.pid, os::Pidfd(std::move(joined.fd))));
      intermediate.wait();
    }
    stage_ = Stage::hook;
    if (observer_.joined) observer_.joined(child_.pid());
    SyncMessage apply;
    apply.signal = Signal::apply;
    apply.pid = child_.pid();
    sync_->send(std::move(apply));
    stage_ = Stage::mount;
    os::UniqueFd terminal;
    if (request_.program.process.terminal)
      terminal = std::move(sync_->expect(Signal::terminal, deadline()).fd);
    sync_->expect(Signal::ready, deadline());
    return {std::move(child_), std::move(*sync_), std::move(terminal)};
  }

  /// Hooks have timeouts of their own.
  std::chrono::milliseconds deadline() const {
    return request_.hooks.create_container.empty() ? std::chrono::milliseconds(kStepDeadline)
                                                   : std::chrono::milliseconds(-1);
  }

  Launch& request_;
  const LaunchObserver& observer_;
  os::Child child_;
  std::optional<SyncChannel> sync_;
  Stage stage_ = Stage::clone;
};

}  // namespace

Launched launch(Launch& launch, const LaunchObserver& observer) {
  try {
    return Launcher(launch, observer).run();
  } catch (const os::Error&) {
    throw StageError(current_failure(Stage::clone));
  }
}

}  // namespace monitor
