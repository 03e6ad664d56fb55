// Relative paths in a model become absolute (Compose B11).
#pragma once

#include <string>
#include <string_view>

#include "manifests/node.hpp"

namespace manifests {

/// What the paths of one part of a model are relative to.
struct PathBase {
  std::string directory;  ///< absolute, or relative when paths are to stay relative
  std::string home;       ///< what `~` stands for; empty: `~` stays
};

/// `path` without `.`, `..`, doubled and trailing slashes, by text alone.
std::string clean_path(std::string_view path);

/// `path` cleaned and, unless absolute, below `directory`.
std::string join_path(const std::string& directory, const std::string& path);

/// The part of `path` before its last slash; "." when there is none.
std::string parent_directory(const std::string& path);

/// Makes absolute what is a path in `model`, which must be canonical: build contexts, env and label
/// files, watched paths, bind sources, the files of configs and secrets, `extends.file`, and the
/// device of a bind made by the local volume driver. URLs stay.
void resolve_paths(Node& model, const PathBase& base);

}  // namespace manifests
