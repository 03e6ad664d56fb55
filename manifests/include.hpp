// `include` (Compose B9): another project's model becomes part of this one. What an item says, and
// how the loaded model is brought in; the loading itself is the model's.
#pragma once

#include <string>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/node.hpp"
#include "manifests/paths.hpp"
#include "manifests/tree_path.hpp"

namespace manifests {

struct Include {
  std::vector<std::string> files;      ///< absolute; the later ones override the first
  std::string directory;               ///< absolute: the project directory of those files
  std::vector<std::string> env_files;  ///< absolute; must exist
  bool default_env_file = true;        ///< no `env_file` is given: `.env` of the directory
  Position at;
};

/// Reads the items of `include`. Paths are relative to `base`.
std::vector<Include> read_includes(const Node& includes, const PathBase& base,
                                   Diagnostics& diagnostics);

/// Copies services, networks, volumes, configs, secrets and models of `imported` into `document`.
/// What `document` says itself is merged over it, after erasing what `resets` names.
void import_model(Node& document, Node imported, const std::vector<TreePath>& resets,
                  Diagnostics& diagnostics);

}  // namespace manifests
