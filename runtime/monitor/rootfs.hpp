// The root file system of a container: opened on the host's side as a mount that is attached
// nowhere, attached inside the container's mount namespace, made its root.
#pragma once

#include <string>

#include "runtime/container/spec.hpp"
#include "runtime/os/fd.hpp"

namespace monitor {

/// The absolute path of `root.path` for a bundle.
std::string root_path(const container::Spec& spec, const std::string& bundle);

/// The root as a detached mount: the overlay that `overlay` describes (the value of the annotation
/// "stack.rootfs"), or a clone of what is at `path` when that is empty. No mount appears on the
/// host, and it goes with its descriptor.
os::UniqueFd open_root(const std::string& path, const std::string& overlay);

/// Attaches the detached `root` on the directory `path` of the calling thread's mount namespace.
/// pivot_root(2) wants the mount that holds it not to be shared; `make_parent_private` sees to it.
void attach_root(int root, const std::string& path, bool make_parent_private);

/// Makes `root` the root and the working directory and takes the old one away as a whole.
void pivot_to(int root);

}  // namespace monitor
