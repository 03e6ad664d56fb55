// The option strings of an OCI mount (runtime-spec, "Linux mount options"): sorted into mount
// attributes, propagation, and data for the file system. Unknown options are data, as mount(8) has
// it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace container {

struct MountOptions {
  std::uint64_t set_attributes = 0;            ///< MOUNT_ATTR_… of mount_setattr(2)
  std::uint64_t clear_attributes = 0;          ///< to take off a bind's source
  std::uint64_t recursive_set_attributes = 0;  ///< "rro" …: for every mount below as well
  std::uint64_t recursive_clear_attributes = 0;
  std::uint64_t superblock_flags = 0;  ///< MS_… of mount(2): sync, dirsync, mand, lazytime …
  std::uint64_t superblock_clear_flags = 0;  ///< "async", "nomand" …
  std::uint64_t propagation = 0;             ///< MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE
  bool propagation_recursive = false;
  bool bind = false;
  bool recursive_bind = false;
  bool idmap = false;
  bool recursive_idmap = false;
  bool tmpcopyup = false;
  std::vector<std::string> data;  ///< "size=64m" … for the file system, in order
};

/// Later options win over earlier ones.
MountOptions parse_mount_options(const std::vector<std::string>& options);

}  // namespace container
