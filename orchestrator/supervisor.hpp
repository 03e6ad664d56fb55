// `stack supervise PROJECT`: the one process that changes a running stack. An event loop, no more.
#pragma once

#include <string>

#include "orchestrator/paths.hpp"

namespace orchestrator {

/// Runs the supervisor of a project until its `down`. When another one runs already this returns 0
/// at once. Descriptor 3, when it is open, is closed once requests are taken. Returns the exit
/// code.
int supervise(const Paths& paths, const std::string& project);

}  // namespace orchestrator
