// The volumes of a container: which it needs, made and filled before its first start.
#pragma once

#include "orchestrator/project.hpp"

namespace orchestrator {

/// Fills in `record.volumes` and makes those that are missing: named ones of the stack, anonymous
/// ones of the service and of the image. `inherited` are the anonymous ones of the container that
/// this one takes the place of. An empty volume receives the image's content.
Task<> make_volumes(Project& project, ContainerRecord& record, const manifests::Stack& stack,
                    const manifests::Service& service, std::vector<VolumeUse> inherited);

}  // namespace orchestrator
