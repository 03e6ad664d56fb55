// Unpacked layers seen as the one tree that overlayfs would show: upper entries hide lower ones,
// whiteouts and opaque directories count. Everything is reached by descriptor, one name at a time,
// and symbolic links are resolved inside the tree, so that no layer can lead out of it.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/os/fd.hpp"

namespace image {

/// Whether this is overlayfs's mark for "removed here": a character device 0:0.
bool is_whiteout(const struct stat& status);
/// Whether the directory hides what lower layers hold at its path (trusted.overlay.opaque = "y").
bool is_opaque(int directory);
/// Makes it so; `name` is for messages.
void set_opaque(int directory, const std::string& name);

class LayerStack {
 public:
  /// What is at a path: its attributes and descriptors that were opened without following links.
  struct Node {
    struct stat status {};
    os::UniqueFd fd;                   ///< O_PATH; unset for directories, and for what look() saw
    std::vector<os::UniqueFd> merged;  ///< a directory's parts, top first (O_RDONLY)
    int parent = -1;                   ///< where look() saw it
    std::string name;                  ///< there
    bool is_directory() const { return S_ISDIR(status.st_mode); }
    /// A descriptor of the topmost part, for attributes.
    int top() const { return merged.empty() ? fd.get() : merged.front().get(); }
  };

  /// `directories`: the top layer first. A container's writable upper directory may be the first.
  explicit LayerStack(const std::vector<std::string>& directories);

  /// Whether there is no layer at all.
  bool empty() const noexcept { return roots_.empty(); }
  /// A fresh set of descriptors of the root.
  Node root() const;
  /// The entry `name` of `directory`, itself and not what a link leads to.
  static std::optional<Node> child(const Node& directory, const std::string& name);
  /// As child(), but what is no directory is not opened: open() does that, while `directory` is
  /// there. For walks over many files that are asked little.
  static std::optional<Node> look(const Node& directory, const std::string& name);
  /// Opens what look() saw, once. Throws os::Error when something else is there now.
  static void open(Node& node);
  /// What is at `path`, every link on the way and at its end resolved inside the tree. Nothing when
  /// it is not there; throws os::Error(ELOOP) past 40 links.
  std::optional<Node> resolve(std::string_view path) const;
  /// The names in a directory, as merged, sorted.
  static std::vector<std::string> names(const Node& directory);
  /// The content of the regular file at `path`, nothing when none is there. Throws
  /// os::Error(EFBIG) past `limit` bytes.
  std::optional<std::string> read_file(std::string_view path, std::size_t limit) const;

 private:
  std::vector<os::UniqueFd> roots_;
};

/// How many symbolic links one path may lead through, as in the kernel.
inline constexpr int kMaxLinks = 40;

/// Puts the names of `path` in front of `pending`, for a walk that meets a link.
void prepend_names(std::string_view path, std::deque<std::string>& pending);
/// The target of the symbolic link `fd` (O_PATH | O_NOFOLLOW); `name` is for messages.
std::string read_link(int fd, const std::string& name);

}  // namespace image
