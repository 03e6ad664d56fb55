// A private handle on procfs. What lies on a container's /proc may be anything that an image or a
// volume put there, so the runtime reads and writes through a mount nobody else can reach.
#pragma once

#include <string>
#include <string_view>

#include "runtime/os/fd.hpp"

namespace monitor {

/// A procfs of the pid namespace it was opened in; it need not be attached anywhere.
class Procfs {
 public:
  /// Mounts one that stays detached (fsopen(2)); where that is not allowed, takes /proc after
  /// checking that it is the root of a procfs.
  static Procfs open();
  /// Uses a procfs mount that the caller just made, before anything can be mounted on it.
  static Procfs from_mount(int mount);

  /// Opens `path` below the root; neither a link nor a mount may lie on the way, and what is opened
  /// must be procfs. Throws os::Error.
  os::UniqueFd open_file(const std::string& path, int flags) const;
  /// One write(2) to `path`.
  void write(const std::string& path, std::string_view data) const;
  /// The whole file.
  std::string read(const std::string& path) const;

 private:
  explicit Procfs(os::UniqueFd root) : root_(std::move(root)) {}
  os::UniqueFd root_;
};

}  // namespace monitor
