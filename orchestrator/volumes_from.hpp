// `volumes_from`: the containers whose mounts another one has too (Compose D10.9).
#pragma once

#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "orchestrator/record.hpp"

namespace orchestrator {

class Project;

/// An entry of `volumes_from`: `service[:ro|rw]` or `container:NAME[:ro|rw]`.
struct VolumesFrom {
  manifests::NamespaceTarget from;
  bool read_only = false;
};
/// Throws os::Error for another mode. Pure.
VolumesFrom parse_volumes_from(const std::string& text);

/// A container to take the mounts of.
struct VolumeSource {
  ContainerRecord record;
  manifests::Stack stack;  ///< of its one service
  bool read_only = false;

  const manifests::Service& service() const { return stack.services.begin()->second; }
};

/// Those that `service` names, and those that they name in turn, the furthest first: what comes
/// later wins. Of a service the first replica; a container of any project. Throws os::Error for one
/// that is not there.
std::vector<VolumeSource> volume_sources(const Project& project, const manifests::Service& service);

/// What of the sources' volumes a container with these mounts uses besides its own: none of them is
/// its own to remove. Pure.
std::vector<VolumeUse> inherited_uses(const std::vector<VolumeSource>& sources);

}  // namespace orchestrator
