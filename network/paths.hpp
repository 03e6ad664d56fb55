// Where the files of a project's network are: RUN_DIR/networks/PROJECT.
#pragma once

#include <string>

namespace network {

struct Paths {
  /// Throws os::Error for a project name that would lead elsewhere.
  Paths(const std::string& run_dir, const std::string& project);

  std::string networks;   ///< the directory of all projects
  std::string lock;       ///< held while what the projects share changes
  std::string directory;  ///< the project's own
  std::string netns;      ///< the file that its namespace is pinned at
  std::string record;
};

/// Whether a namespace is pinned at the path, rather than nothing or a plain file.
bool is_pinned_namespace(const std::string& path);

}  // namespace network
