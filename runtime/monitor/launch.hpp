// From a description to a process that waits at its gate: clone3(2) on one side, what the child
// does on the other, in the order of protocol.hpp.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/container/spec.hpp"
#include "runtime/container/state.hpp"
#include "runtime/monitor/plan.hpp"
#include "runtime/monitor/program.hpp"
#include "runtime/monitor/protocol.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/process.hpp"

namespace monitor {

using Streams = std::array<os::UniqueFd, 3>;  ///< stdin, stdout, stderr of a process

/// A namespace that exists already.
struct JoinedNamespace {
  container::NamespaceType type;
  os::UniqueFd fd;
};

/// Which file a descriptor stands for.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
FileIdentity file_identity(int fd);

/// All that the child needs, made ready on the host's side.
struct Launch {
  std::uint64_t clone_flags = 0;  ///< CLONE_NEW… that clone3(2) makes
  std::vector<JoinedNamespace> joins;
  bool new_cgroup_namespace = false;
  bool new_time_namespace = false;
  bool new_pid_namespace = false;  ///< made by the child, when clone3(2) cannot
  std::map<std::string, container::TimeOffset> time_offsets;

  /// exec: the process whose namespaces are entered, and what its root must be.
  os::UniqueFd target;
  std::uint64_t target_namespaces = 0;
  std::optional<FileIdentity> target_root;

  /// A new container's file system: the detached root, the steps, and a detached mount for each
  /// step that binds.
  std::string root_path;
  os::UniqueFd root;
  Plan plan;
  std::vector<os::UniqueFd> sources;
  container::Hooks hooks;
  container::State hook_state;  ///< what hooks in the container get, but for the pid

  Program program;
  Streams streams;         ///< unused with a terminal
  os::UniqueFd gate;       ///< a listening socket, when Run comes from another process
  unsigned preserved = 0;  ///< descriptors 3 … 3+N-1 stay open in the program
  os::UniqueFd cgroup;     ///< v2 directory to be born in; may be empty
  bool born_in_cgroup = false;
  std::vector<os::UniqueFd> cgroup_entrances;  ///< those of the v1 hierarchies

  /// Whether joining or making a namespace takes one more fork: only children are in it.
  bool forks_again() const;
  /// Whether the child is in a user namespace that is not ours, where it has no say over limits.
  bool in_foreign_user_namespace() const;
};

/// What the host's side does while the child waits.
struct LaunchObserver {
  std::function<void(pid_t)> cloned;  ///< map ids, limits
  std::function<void(pid_t)> joined;  ///< its namespaces are complete: hooks
};

/// A child at its gate. Killed and reaped when it goes, unless released.
struct Launched {
  os::Child child;
  SyncChannel sync;
  os::UniqueFd terminal;  ///< the master, with a terminal
};

/// Throws StageError. Nothing is left of the child then.
Launched launch(Launch& launch, const LaunchObserver& observer);

/// prlimit(2) for each, of ourselves when `pid` is 0; raising a hard limit takes
/// CAP_SYS_RESOURCE.
void set_resource_limits(pid_t pid, const std::vector<container::Rlimit>& limits);

/// How long one step of the other side may take.
inline constexpr std::chrono::seconds kStepDeadline{30};

/// What a launch needs of the stack, about.
inline constexpr std::size_t kUsedStack = 24 * 1024;

/// The child's side; never returns.
[[noreturn]] void run_child(Launch& launch, SyncChannel sync);

}  // namespace monitor
