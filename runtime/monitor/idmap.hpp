// User id maps: of a new user namespace (user_namespaces(7)) and of a mount (mount_setattr(2),
// MOUNT_ATTR_IDMAP).
#pragma once

#include <sys/types.h>

#include <vector>

#include "runtime/container/spec.hpp"

namespace monitor {

/// Writes uid_map and gid_map of a process in a new user namespace, each with one write(2).
void write_id_maps(pid_t pid, const std::vector<container::IdMapping>& uids,
                   const std::vector<container::IdMapping>& gids);

/// Makes the detached `mount` show ids mapped.
void map_mount_ids(int mount, const std::vector<container::IdMapping>& uids,
                   const std::vector<container::IdMapping>& gids, bool recursive);

}  // namespace monitor
