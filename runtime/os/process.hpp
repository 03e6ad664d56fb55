// Processes: identity that survives pid reuse, pidfds, and spawning without fork.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/os/fd.hpp"

namespace os {

/// Which process a pid meant: the pid alone may be another's by now (proc_pid_stat(5), field 22).
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< clock ticks since boot
  bool operator==(const ProcessIdentity&) const = default;
};

/// The identity of a living process or zombie; nothing when there is no such process.
std::optional<ProcessIdentity> identify(pid_t pid);
/// /proc/sys/kernel/random/boot_id: records of another boot speak of processes that are all gone.
const std::string& boot_id();

/// A process as a descriptor (pidfd_open(2)). Sending a signal through it never hits another
/// process.
class Pidfd {
 public:
  Pidfd() = default;
  explicit Pidfd(UniqueFd fd) : fd_(std::move(fd)) {}
  /// Nothing when no such process exists or it is not the one that `identity` means.
  static std::optional<Pidfd> open(const ProcessIdentity& identity);
  static std::optional<Pidfd> open(pid_t pid);

  int get() const noexcept { return fd_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
  /// False when the process is gone already.
  bool send_signal(int signal) const;
  /// Whether it has ended (a zombie counts as ended).
  bool has_exited() const;

 private:
  UniqueFd fd_;
};

/// How a process ended: its exit code, or 128 + the signal that killed it.
struct ExitStatus {
  int code = 0;
  int signal = 0;  ///< 0 when it exited by itself
};
ExitStatus exit_status_from(const siginfo_t& info) noexcept;

/// A child process of ours; killed and reaped when it goes, unless released.
class Child {
 public:
  Child() = default;
  Child(pid_t pid, Pidfd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
  Child& operator=(Child&& other) noexcept;
  ~Child();

  pid_t pid() const noexcept { return pid_; }
  const Pidfd& pidfd() const noexcept { return pidfd_; }
  explicit operator bool() const noexcept { return pid_ > 0; }
  /// Waits until it ends and reaps it.
  ExitStatus wait();
  /// Reaps it if it has ended, without waiting.
  std::optional<ExitStatus> try_wait();
  /// It is nobody's concern any more: neither killed nor reaped.
  pid_t release() noexcept { return std::exchange(pid_, 0); }

 private:
  void kill_and_reap() noexcept;
  pid_t pid_ = 0;
  Pidfd pidfd_;
};

/// What spawn() starts. Descriptors not named here are not inherited.
struct SpawnOptions {
  std::string executable;
  std::vector<std::string> arguments;                   ///< argv, argv[0] included
  std::optional<std::vector<std::string>> environment;  ///< "K=V"; ours when absent
  /// {descriptor here, number there}; 0, 1, 2 that are not named are /dev/null.
  std::vector<std::pair<int, int>> descriptors;
  bool new_session = false;  ///< setsid(2)
};

/// posix_spawn(3) with default signal dispositions and an empty mask. Throws Error that names the
/// executable.
Child spawn(const SpawnOptions& options);

/// The path of the running executable.
std::string self_executable();

}  // namespace os
