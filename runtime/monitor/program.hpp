// What a container's process executes and as whom: the last steps before execve(2), the same for a
// container's first process and for those that exec adds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/container/capability.hpp"
#include "runtime/container/seccomp_program.hpp"
#include "runtime/container/spec.hpp"
#include "runtime/monitor/procfs.hpp"
#include "runtime/monitor/stage.hpp"

namespace monitor {

/// A process with all names resolved, so that little can fail inside the container.
struct Program {
  container::Process process;
  container::CapabilityMasks capabilities;
  container::SeccompProgram filter;  ///< empty: none
  unsigned filter_flags = 0;
  std::optional<container::Personality> personality;
  bool below_init_helper = false;  ///< kInitPath is PID 1 and starts it
};

/// Resolves what `process` names. Throws os::Error for an unknown name and for a seccomp policy
/// that needs a listener.
Program make_program(const container::Process& process,
                     const std::optional<container::Seccomp>& seccomp);

/// What is being done, for the record of a failure.
struct Progress {
  Stage stage = Stage::clone;
};

/// Scheduling, I/O priority and execution domain, which need the rights that go next.
void set_attributes(const Program& program);
/// Security labels for the coming execve(2); throws os::Error when one is asked for that cannot be
/// set.
void set_labels(const container::Process& process, const std::optional<Procfs>& procfs);
/// Gives standard streams to the user that are the container's: pipes and sockets, and its own
/// terminal. A file or a terminal of the caller's keeps its owner.
void give_streams(const container::Process& process);

/// From root to the program's own user, capabilities and filter; changes to the working directory
/// on the way, as root or, where only the user may, as that.
void assume_identity(const Program& program, Progress& progress);

/// The absolute or relative path of argv[0] as the current user finds and may execute it. Throws
/// os::Error (ENOENT, EACCES, EISDIR …).
std::string find_program(const container::Process& process);
/// The environment with HOME, and TERM for a terminal, added when missing.
std::vector<std::string> complete_environment(const container::Process& process);

/// execve(2); returns only by os::Error.
[[noreturn]] void execute(const Program& program, const std::string& path);

}  // namespace monitor
