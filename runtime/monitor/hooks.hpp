// OCI hooks: programs that run at fixed points of a container's life with its state on their
// standard input (runtime-spec, "POSIX-platform Hooks").
#pragma once

#include <string>
#include <vector>

#include "runtime/container/spec.hpp"
#include "runtime/container/state.hpp"

namespace monitor {

/// The state object of the runtime-spec as JSON text.
std::string oci_state(const container::State& state);

/// Runs the hooks one after the other, each with `state` as its input, and waits for them. Throws
/// os::Error for the first that fails or outlives its timeout, with the end of what it printed;
/// `point` is for the message ("createRuntime").
void run_hooks(const std::vector<container::Hook>& hooks, const std::string& point,
               const std::string& state);

}  // namespace monitor
