// One mount of a plan, by descriptors throughout.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "runtime/monitor/plan.hpp"
#include "runtime/monitor/procfs.hpp"
#include "runtime/os/fd.hpp"

namespace monitor {

/// The source of a bind as a detached mount with all its attributes set, so that it is never seen
/// without them; to be called on the host's side. Empty for a file system.
os::UniqueFd open_source(const MountStep& step, const std::string& bundle);

/// The value of the annotation "stack.subpaths", which may be empty. Throws os::Error.
std::map<std::string, std::string> parse_subpaths(const std::string& text);

/// Performs `step` below `root`. `source` is what open_source() gave. The first procfs becomes the
/// private handle in `procfs`.
/// Returns the mount.
os::UniqueFd mount_in_root(int root, const MountStep& step, os::UniqueFd source,
                           std::optional<Procfs>& procfs);

/// Attaches the detached `mount` on `destination` in `root`, a place made when missing, and makes
/// sure that it arrived there.
void attach_in_root(int root, int mount, const std::string& destination, bool directory);

}  // namespace monitor
