// From a bundle to a container whose process waits to be started; and another process into one that
// runs. What a failed creation made is gone again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/container/cgroup.hpp"
#include "runtime/container/spec.hpp"
#include "runtime/container/state.hpp"
#include "runtime/monitor/launch.hpp"

namespace monitor {

struct CreateRequest {
  std::string id;
  std::string bundle;  ///< absolute
  container::Spec spec;
  Streams streams;
  os::UniqueFd gate;
  unsigned preserved = 0;
  /// Whether "stack." annotations are obeyed: they name files of the host, so only a bundle that
  /// our own supervisor wrote may have them. An engine's are its users' words.
  bool extensions = false;
  /// Called as soon as the control groups exist.
  std::function<void(const container::Cgroup&)> on_cgroup;
  /// Called with the pid once its namespaces exist, while it is still being set up.
  std::function<void(pid_t)> on_namespaces;
};

struct CreatedContainer {
  os::Child init;
  SyncChannel sync;
  os::UniqueFd terminal;
  container::Cgroup cgroup;
  Program program;  ///< what its process was given, for exec to take from
  std::vector<std::string> warnings;
};

/// Throws StageError.
CreatedContainer create_container(CreateRequest& request);

/// The mistakes of a spec that this runtime cannot run, beside those of container::validate().
std::vector<std::string> unsupported(const container::Spec& spec);

/// The path of the container's control groups: linux.cgroupsPath, or "/stack/ID".
std::string cgroup_path(const container::Spec& spec, const std::string& id);

/// Adds a process to a running container.
struct ExecRequest {
  pid_t init = 0;                    ///< whose namespaces are entered
  const os::Pidfd* pidfd = nullptr;  ///< of init
  const container::Cgroup* cgroup = nullptr;
  Program program;
  Streams streams;
  unsigned preserved = 0;
};
/// It waits at its gate for Run. Throws StageError.
Launched launch_exec(ExecRequest& request);

/// Keeps in mind the oom_score_adj of this process for the containers it makes; `protect` then
/// lowers our own as far as we may.
void remember_oom_score(bool protect);
/// Writes the one that `process` asks for, or the one remembered.
void set_oom_score(pid_t pid, const container::Process& process);

}  // namespace monitor
