// Stops containers against the order of their dependencies: each only after all that depend on it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/project.hpp"
#include "orchestrator/session.hpp"

namespace orchestrator {

struct StopOptions {
  std::optional<Duration> grace;       ///< each container's own when absent
  bool remove = false;                 ///< take it away once it has stopped
  bool remove_volumes = false;         ///< its anonymous volumes too
  std::function<void()> when_stopped;  ///< called when all have stopped, before all are removed
};

/// Returns when all are stopped (and removed). Goes on past failures and throws os::Error with all
/// of them at the end.
Task<> stop_containers(Project& project, Session& session,
                       std::vector<std::shared_ptr<Container>> containers, StopOptions options);

/// The grace of a request's `timeout` in seconds; nothing when it was not given.
std::optional<Duration> grace_of(int timeout);

}  // namespace orchestrator
