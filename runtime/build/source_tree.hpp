// What COPY, ADD and bind mounts read: a build context, an image, another stage. Paths are resolved
// inside of it, and what .dockerignore names is not there.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/build/dockerignore.hpp"
#include "runtime/image/layer_stack.hpp"

namespace build {

struct SourceTree {
  image::LayerStack stack;
  Ignore ignore;
  bool is_context = false;  ///< owners and times are the machine's, and mean nothing
  std::string name;         ///< for messages; empty for the main context
};

/// One source of a COPY, found.
struct Selected {
  std::string path;  ///< in the tree, clean; "" is its root
  std::string kept;  ///< with --parents: the directories to keep below the destination
  bool by_wildcard = false;
};

/// What the patterns name, each pattern's matches in the order of their names. A wildcard without a
/// match gives nothing; throws os::Error for a plain name that is not there, with what to write
/// instead.
std::vector<Selected> select_sources(const SourceTree& tree,
                                     const std::vector<std::string>& patterns, bool parents);

/// What a selection stands for; of a wildcard's match that is a link to nothing the link itself.
/// Throws os::Error when it is gone.
image::LayerStack::Node open_selected(const SourceTree& tree, const Selected& selected);

/// Takes the entries of a tree one after the other.
class TreeVisitor {
 public:
  virtual ~TreeVisitor() = default;
  /// A directory, before what is in it; `path` is relative to where the walk began.
  virtual void directory(const std::string& path, image::LayerStack::Node& node) = 0;
  virtual void file(const std::string& path, image::LayerStack::Node& node) = 0;
};

/// Whether something in the directory `node`, at `path` in the tree, is not ignored: then an
/// ignored directory is there after all.
bool shows_anything(const SourceTree& tree, const image::LayerStack::Node& node,
                    const std::string& path);

/// Shows what is below `top` (at `path` in the tree), sorted, without what is ignored: by the tree,
/// and by `excludes` for paths relative to `top`. Throws os::Error past 256 levels.
void walk_tree(const SourceTree& tree, const image::LayerStack::Node& top, const std::string& path,
               const Ignore& excludes, TreeVisitor& visitor);

}  // namespace build
