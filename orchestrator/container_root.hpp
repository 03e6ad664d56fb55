// The file system of a container, as it sees it.
#pragma once

#include "orchestrator/record.hpp"
#include "runtime/os/fd.hpp"

namespace orchestrator {

/// The layers of a container's root, top first: those of its image, and below them the places of
/// the mounts that every container has. An image that has them shows its own; where it does not,
/// no container has to make them in its writable layer. Makes that layer when it is missing.
/// Throws os::Error.
std::vector<std::string> root_layers(const Paths& paths, std::vector<std::string> image_layers);

/// Its root as a descriptor (O_PATH): of the running process `init` with all that is mounted there;
/// with `init` 0, of a stopped container, its image and its writable layer alone, mounted for as
/// long as the descriptor is open. What is below belongs to the container: paths are resolved with
/// os::open_in_root. Throws os::Error.
os::UniqueFd open_container_root(const Paths& paths, const ContainerRecord& record, pid_t init);

/// Its image and its writable layer alone, whether it runs or not, to read: without volumes and
/// whatever else is mounted in it. Throws os::Error.
os::UniqueFd open_container_layers(const Paths& paths, const ContainerRecord& record);

}  // namespace orchestrator
