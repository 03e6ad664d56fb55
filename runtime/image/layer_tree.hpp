// The directory that a layer is unpacked into, seen together with the layers below it. A path is
// walked one name at a time by descriptors that never follow a link by themselves, so nothing
// leads out of the tree, whatever the archive holds and whoever changes the directory meanwhile.
#pragma once

#include <sys/stat.h>
#include <time.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/image/layer_stack.hpp"
#include "runtime/image/limits.hpp"
#include "runtime/os/fd.hpp"

namespace image {

class LayerTree {
 public:
  /// A directory of the layer itself.
  struct Directory {
    os::UniqueFd fd;
    std::string path;  ///< with every link resolved; empty for the root
    std::size_t depth = 0;
  };
  using DirectoryRef = std::shared_ptr<const Directory>;

  /// `root` and `lower` must outlive the tree.
  LayerTree(int root, const LayerStack& lower, const Limits& limits);

  /// The directory that `path` (no ".." in it) names in the merged tree, made in this layer when it
  /// is not there yet: with the attributes of the lower one, or 0755. Links on the way are resolved
  /// inside the tree. Throws os::Error(ENOTDIR) when something else of this layer is in the way.
  DirectoryRef directory(const std::string& path);

  /// What this layer has as `name`, the thing itself.
  static std::optional<struct stat> own_entry(const Directory& parent, const std::string& name);
  /// What the layers below have as `name` where this layer does not hide them.
  std::optional<LayerStack::Node> lower_entry(const Directory& parent, const std::string& name);

  /// Makes room for a new entry that is no directory; what this layer has as `name` goes.
  void clear_place(const Directory& parent, const std::string& name);
  /// Makes `name` a directory of this layer, or keeps the one it has; the mode of a new one is
  /// 0700.
  DirectoryRef make_directory(const Directory& parent, const std::string& name);
  /// Removes what lower layers have as `name`; what this layer has stays, in a fresh directory.
  void white_out(const Directory& parent, const std::string& name);
  /// Removes all that lower layers have in the directory.
  void make_opaque(const Directory& directory);

  /// Sets the time of a directory once everything is in it.
  void set_time_later(const Directory& directory, timespec modified);
  void set_times();
  /// To be called when others have changed the layer's directory meanwhile.
  void forget() { cache_.clear(); }

 private:
  /// One step of a walk.
  struct Frame {
    DirectoryRef own;
    std::string name;
    bool lower_known = false;
    std::optional<LayerStack::Node> lower;
  };

  std::vector<Frame> walk(const std::string& path);
  void step(std::vector<Frame>& frames, const std::string& name, std::deque<std::string>& pending,
            int& links);
  void follow(std::vector<Frame>& frames, const std::string& target,
              std::deque<std::string>& pending, int& links);
  void make_missing(std::vector<Frame>& frames, const std::string& name,
                    std::optional<LayerStack::Node> lower);
  const LayerStack::Node* lower_of(std::vector<Frame>& frames, std::size_t index);
  std::optional<LayerStack::Node> lower_child(std::vector<Frame>& frames, const std::string& name);
  DirectoryRef open_own(const Directory& parent, const std::string& name) const;

  int root_;
  const LayerStack& lower_;
  Limits limits_;
  std::unordered_map<std::string, DirectoryRef> cache_;
  std::vector<std::pair<std::string, timespec>> times_;
};

}  // namespace image
