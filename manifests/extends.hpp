// `extends` (Compose B8): a service takes over what another one says, of the same file or of
// another.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/node.hpp"
#include "manifests/tree_path.hpp"

namespace manifests {

/// The services of one file, and what its `!reset` and `!override` tags take out of a base.
struct ServiceScope {
  std::string file;  ///< absolute path: tells files apart
  std::string name;  ///< of the file, as messages show it
  Node services;
  std::vector<TreePath> resets;
};

/// Gives the services of the file at `path`, as `extends.file` says it; nullptr when it cannot be
/// read, which is then reported at `at`. The scope lives as long as the extending goes on.
using ScopeLoader = std::function<ServiceScope*(const std::string& path, const Position& at)>;

/// Merges into every service of `scope` the one that it extends, and that one's base before it.
/// `extends` is gone afterwards. Missing services and circles are reported.
void apply_extends(ServiceScope& scope, const ScopeLoader& load, Diagnostics& diagnostics);

}  // namespace manifests
