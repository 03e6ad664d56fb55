// The control groups of one container: one directory per hierarchy, held as one object. On a
// machine with v1 controllers a twin in the v2 hierarchy, where one is mounted, serves to track,
// freeze and kill.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/container/cgroup_layout.hpp"
#include "runtime/container/cgroup_limits.hpp"
#include "runtime/os/fd.hpp"

namespace container {

/// What the kernel counts for a container; absent: this kernel or controller does not say.
struct CgroupStats {
  std::optional<std::uint64_t> cpu_usage_usec;
  std::optional<std::uint64_t> cpu_user_usec;
  std::optional<std::uint64_t> cpu_system_usec;
  std::optional<std::uint64_t> cpu_throttled_usec;
  std::optional<std::uint64_t> cpu_throttled_periods;
  std::optional<std::uint64_t> memory_usage;          ///< bytes, page cache included
  std::optional<std::uint64_t> memory_inactive_file;  ///< to be taken off for display
  std::optional<std::uint64_t> memory_limit;          ///< absent: unlimited
  std::optional<std::uint64_t> memory_peak;
  std::optional<std::uint64_t> swap_usage;
  std::optional<std::uint64_t> pids_current;
  std::optional<std::uint64_t> pids_limit;
  std::optional<std::uint64_t> io_read_bytes;
  std::optional<std::uint64_t> io_write_bytes;
  std::optional<std::uint64_t> io_reads;
  std::optional<std::uint64_t> io_writes;
  std::optional<std::uint64_t> oom_kills;
};

class Cgroup {
 public:
  /// Hierarchy name ("memory", "cpu,cpuacct", "" for v2) → directory.
  using Paths = std::map<std::string, std::string>;

  /// Makes `path` ("/stack/PROJECT/ID") below the base of every hierarchy and enables what v2
  /// needs on the way. Throws os::Error(EEXIST) when it holds processes already. Nothing is left
  /// behind on failure. The destructor leaves the groups: remove() is explicit.
  static Cgroup create(const CgroupLayout& layout, const std::string& path);
  /// The groups another process made (from its record). Ones that are gone are left out.
  static Cgroup open(const CgroupLayout& layout, const Paths& paths);

  const Paths& paths() const noexcept { return paths_; }
  /// The directory that serves `controller`; nothing when there is none.
  std::optional<std::string> directory(std::string_view controller) const;

  /// Writes every limit and device rule; to be called before a process is placed. Returns wishes
  /// that this cgroup version has no file for. Throws os::Error when a limit cannot be kept.
  std::vector<std::string> set_limits(const Resources& resources);
  /// A descriptor of the v2 directory for CLONE_INTO_CGROUP; empty without v2.
  os::UniqueFd unified_directory() const;
  /// The "tasks" of each v1 hierarchy, for enter_cgroups(). Whoever moves another process there, by
  /// its pid, stops every fork of the machine for a grace period of the kernel (RCU).
  std::vector<os::UniqueFd> entrances() const;

  /// Stops every process; returns when all stand still. Throws os::Error(ETIMEDOUT), thawed again.
  void freeze(std::chrono::milliseconds timeout = std::chrono::seconds(10)) const;
  void thaw() const;
  bool frozen() const;
  /// SIGKILL to every process, also of a frozen group; does not wait.
  void kill_all() const;
  /// Sends `signal` to every process.
  void signal_all(int signal) const;
  bool populated() const;
  /// False when processes are left at the end of `timeout`.
  bool wait_empty(std::chrono::milliseconds timeout) const;
  /// "cgroup.events" of v2: becomes readable as EPOLLPRI | EPOLLERR when populated or frozen
  /// changes (read it from the start, then ask populated()). Empty without v2.
  os::UniqueFd events() const;

  /// How many processes of this container the kernel has killed for memory.
  std::uint64_t oom_kills() const;
  /// A descriptor that becomes ready when oom_kills() may have grown: an eventfd on v1 (EPOLLIN),
  /// an inotify descriptor on v2 (EPOLLIN); drain it by read. Empty without a memory controller.
  os::UniqueFd oom_events() const;

  CgroupStats stats() const;
  /// Host pids of every process, also in groups below ours; sorted.
  std::vector<pid_t> processes() const;

  /// Removes every directory and what the container made below it; parents stay. Waits for
  /// dying processes (EBUSY) for up to about a second. Throws os::Error with what is left.
  void remove();

 private:
  Paths paths_;
  CgroupLayout layout_;
  const std::string* unified_path() const noexcept;
  void apply_devices(const std::vector<DeviceRule>& rules) const;
};

/// Moves the calling thread, the only one of its process, to where `entrances` lead.
void enter_cgroups(const std::vector<os::UniqueFd>& entrances);

/// Removes the empty directory `path` ("/stack/PROJECT") in every hierarchy; content when it is not
/// empty or not there.
void remove_cgroup_parent(const CgroupLayout& layout, const std::string& path);

}  // namespace container
