// Copies files into a new layer: COPY and ADD without the language around them. Nothing outside of
// the layer is ever written, whatever links source and destination hold.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/build/source_tree.hpp"
#include "runtime/image/decompressor.hpp"
#include "runtime/image/layer_tree.hpp"

namespace build {

struct CopyOptions {
  std::optional<std::pair<uid_t, gid_t>> owner;  ///< else: as they are; from a context 0:0
  std::string mode;                              ///< chmod's words; empty: as they are
  std::optional<std::int64_t> time;  ///< of files from a context, and of made directories
};

/// Fills one layer.
class CopyInto {
 public:
  /// `upper` is the layer's directory, `lower` those below it, top first.
  CopyInto(const std::string& upper, const std::vector<std::string>& lower, CopyOptions options);

  /// Copies one source. `destination` is absolute; ends in "/" where a file goes inside by name. A
  /// directory gives what is in it.
  void copy(const SourceTree& tree, const Selected& selected, const std::string& destination,
            const Ignore& excludes);
  /// Unpacks an archive into the directory `destination`; the mode option does not count.
  void unpack(const image::ByteSource& archive, const std::string& destination);
  /// Writes a file with this content.
  void write(const std::string& name, const std::string& content, const std::string& destination,
             mode_t mode, std::optional<std::int64_t> time);
  /// Makes the directory at `path`, and what is missing above it.
  void make_directory(const std::string& path);
  /// To be called last: times of directories.
  void finish();

 private:
  class Contents;
  using DirectoryRef = image::LayerTree::DirectoryRef;
  using Node = image::LayerStack::Node;

  DirectoryRef ensure(const std::string& path);
  /// What is at `path`, itself and not what a link leads to.
  std::optional<Node> entry_at(const std::string& path) const;
  /// Where a file called `name` goes.
  std::pair<DirectoryRef, std::string> place_of(const std::string& destination,
                                                const std::string& name);
  bool is_directory_below(const image::LayerTree::Directory& parent, const std::string& name);
  void copy_node(const SourceTree& tree, Node& node, const DirectoryRef& parent,
                 const std::string& name);
  void keep_directories(const SourceTree& tree, const Selected& selected, const std::string& kept,
                        const std::string& destination);
  void copy_directory(const SourceTree& tree, const Node& node, const std::string& path);
  void settle(const SourceTree& tree, struct stat& status) const;
  void settle_new(int fd, const std::string& path);

  os::UniqueFd upper_;
  image::LayerStack lower_;
  image::LayerStack merged_;
  CopyOptions options_;
  image::LayerTree tree_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;  ///< of the current source
  std::optional<std::string> below_path_;                 ///< of `below_`
  std::optional<Node> below_;
};

}  // namespace build
