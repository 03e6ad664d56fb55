// Device nodes, their links, and the paths of /proc and /sys that a container may not write or see.
#pragma once

#include <optional>
#include <string>

#include "runtime/container/spec.hpp"
#include "runtime/monitor/plan.hpp"
#include "runtime/os/fd.hpp"

namespace monitor {

/// Makes the node, or binds the host's where mknod(2) is not allowed. A node of another kind at
/// that path is an error.
void create_device(int root, const container::Device& device);
void create_link(int root, const LinkStep& link);

/// /dev/null of the container as an O_PATH descriptor; throws os::Error when it is anything else
/// than character device 1:3.
os::UniqueFd open_null(int root);
/// Whether the descriptor is a character device 1:3.
bool is_null_device(int fd);

/// Standard streams that are a null device become the one of `root`.
void replace_null_streams(int root);

/// Hides paths: directories under one empty read-only tmpfs, files under the null device.
class PathMask {
 public:
  /// Content when `path` is not there. Throws os::Error otherwise: a mask that is missing is a
  /// hole.
  void hide(int root, const std::string& path);

 private:
  void hide_directory(int target, const std::string& path);
  os::UniqueFd empty_;
};

/// Binds `path` on itself read-only, with the flags it had. Content when it is not there.
void make_readonly(int root, const std::string& path);
/// Makes the mount at `path` read-only.
void make_mount_readonly(int root, const std::string& path);

}  // namespace monitor
