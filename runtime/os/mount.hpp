// The mount system calls as the runtime uses them: by descriptor, detached first, attached last
// (fsopen(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2)); and paths resolved inside
// a root (openat2(2)).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/os/fd.hpp"

namespace os {

/// A file system being configured (fsopen(2)). Errors carry what the kernel wrote to its log.
class FilesystemContext {
 public:
  explicit FilesystemContext(const std::string& type);
  void set_string(const std::string& key, const std::string& value);
  void set_flag(const std::string& key);
  /// A directory of an overlay: `upperdir`, `workdir`, or a `lowerdir+`, the top one first. By
  /// descriptor (Linux 6.13): no path can be swapped, no length limit. Before: by path (6.7).
  /// Before that all lower ones in one option, of 255 characters at most: about 60 layers.
  void set_directory(const std::string& key, const std::string& path);
  /// Creates the superblock and returns it as a detached mount; `attributes` are MOUNT_ATTR_*.
  UniqueFd mount(std::uint64_t attributes);

 private:
  [[noreturn]] void fail(int errnum, const std::string& tried);
  void set_collected();
  void create();
  UniqueFd fd_;
  std::string type_;
  std::vector<UniqueFd> lower_;  ///< those for one option
};

/// A detached clone of the mount at `path` below `directory` (OPEN_TREE_CLONE); `recursive` takes
/// the mounts below it too. An empty path means `directory` itself.
UniqueFd clone_mount(int directory, const std::string& path, bool recursive);
/// The file at `path` on a read-only mount of its own that is in no mount namespace. What is
/// executed from there cannot be opened for writing through /proc/PID/exe: the file is seen on that
/// mount, which cannot be remounted, cloned or unmounted from inside a container.
UniqueFd clone_read_only(const std::string& path);
/// Attaches the detached `mount` on `target` (a descriptor); `name` is for messages.
void attach_mount(int mount, int target, const std::string& name);
/// Sets and clears MOUNT_ATTR_*; `propagation` is MS_SHARED, MS_SLAVE, MS_PRIVATE or 0 (keep).
void set_mount_attributes(int mount, std::uint64_t set, std::uint64_t clear,
                          std::uint64_t propagation, bool recursive, const std::string& name);
/// umount2(2) with MNT_DETACH; content when nothing is mounted there.
void detach_mount(const std::string& path);
/// Whether `path` is the root of a mount.
bool is_mount_point(const std::string& path);

/// Opens `path` as a process whose root is `root` would see it (RESOLVE_IN_ROOT, no magic links).
UniqueFd open_in_root(int root, std::string_view path, int flags, mode_t mode = 0);
/// The same, with every missing directory on the way made (0755); the last one too.
UniqueFd make_directories_in_root(int root, std::string_view path, mode_t mode = 0755);
/// The path by which a descriptor was opened, as /proc/self/fd shows it.
std::string path_of(int fd);
/// Opens a place to mount on: a directory or an empty file at `path` in `root`, made when missing.
UniqueFd make_mount_point(int root, std::string_view path, bool directory);

}  // namespace os
