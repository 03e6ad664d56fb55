// The mounts of one RUN: what of the host they need, and what they are in the container.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/build/mount_points.hpp"
#include "runtime/build/steps.hpp"
#include "runtime/container/spec.hpp"

namespace build {

/// What the mounts of a step come to.
struct PreparedMounts {
  std::vector<container::Mount> mounts;
  std::vector<MountPoint> points;
  std::vector<std::string> environment;  ///< of secrets and agents
  std::vector<os::FileLock> locks;       ///< of cache mounts, held while the step runs
};

/// Adds what counts of the mounts to the step's key: the content of bind mounts, which caches.
void add_mounts_to_key(Session& session, const RunStep& step, const StepPlace& place,
                       KeyBuilder& key);

/// Where what the cache mount `key` holds lies, in `data`; beside it its lock.
std::string mount_directory(const BuildOptions& options, const std::string& key);

/// Makes everything below `directory` (the step's own). Waits for caches that are locked. Throws
/// os::Error: a secret that is required and not there, a source that is not found.
PreparedMounts prepare_mounts(Session& session, const RunStep& step, const StepPlace& place,
                              const std::string& directory);

}  // namespace build
