#include "runtime/image/copy_up.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "runtime/image/copy.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {

namespace {

constexpr int kMaxDepth = 200;

/// Copies a merged directory with all in it; hard links stay links among the copies.
class TreeCopy {
 public:
  explicit TreeCopy(int root) : root_(root) {}

  void run(const LayerStack::Node& directory) { copy_content(directory, root_, "", 0); }

 private:
  using Inode = std::pair<dev_t, ino_t>;

  void copy_content(const LayerStack::Node& from, int to, const std::string& path, int depth) {
    if (depth > kMaxDepth) throw os::Error(ELOOP, "copy '" + path + "', which lies too deep");
    for (const std::string& name : LayerStack::names(from)) {
      const auto node = LayerStack::child(from, name);
      if (!node) continue;  // removed meanwhile
      const std::string place = path.empty() ? name : path + "/" + name;
      if (node->is_directory()) {
        os::check(::mkdirat(to, name.c_str(), 0700), [&] { return "make '" + place + "'"; });
        const os::UniqueFd made = os::open_at(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        copy_content(*node, made.get(), place, depth + 1);
        copy_attributes(node->top(), node->status, made.get(), place);
        copy_times(node->status, made.get(), place);
      } else if (node->status.st_nlink < 2 || !link_to_copy(*node, to, name, place)) {
        copy_file(*node, to, name);
      }
    }
  }

  /// Whether the same file was copied before, so that a link to that copy does; remembers the
  /// first.
  bool link_to_copy(const LayerStack::Node& node, int to, const std::string& name,
                    const std::string& place) {
    const auto [first, is_new] =
        copies_.try_emplace(Inode{node.status.st_dev, node.status.st_ino}, place);
    if (is_new) return false;
    os::check(::linkat(root_, first->second.c_str(), to, name.c_str(), 0),
              [&] { return "link '" + place + "' to '" + first->second + "'"; });
    return true;
  }

  int root_;
  std::map<Inode, std::string> copies_;
};

/// Moves what is complete into the volume, entry by entry, and gives it the directory's attributes
/// last. Interrupted, it goes on from where it was.
void move_into_volume(const std::string& ready, const std::string& directory) {
  struct stat status {};
  const os::UniqueFd from = os::open_file(ready, O_RDONLY | O_DIRECTORY);
  const os::UniqueFd to = os::open_file(directory, O_RDONLY | O_DIRECTORY);
  // Before the moves, which change the directory's times.
  os::check(::fstat(from.get(), &status), [&] { return "look at '" + ready + "'"; });
  for (const std::string& name : os::list_directory(ready))
    os::check(::rename((ready + "/" + name).c_str(), (directory + "/" + name).c_str()),
              [&] { return "move '" + name + "' into the volume '" + directory + "'"; });
  copy_attributes(from.get(), status, to.get(), directory);
  copy_times(status, to.get(), directory);
  os::remove_tree(ready);
}

}  // namespace

bool copy_up(const LayerStack& layers, std::string_view path, const std::string& directory) {
  const std::filesystem::path volume(directory);
  const std::string beside =
      (volume.parent_path() / ("." + volume.filename().string() + ".copy-up")).string();
  const std::string ready = beside + ".ready";
  const std::string partial = beside + ".partial";
  const os::FileLock lock = os::FileLock::acquire(beside + ".lock");
  bool copied = false;
  if (os::exists(ready)) {
    move_into_volume(ready, directory);
    copied = true;
  } else if (os::list_directory(directory).empty()) {
    os::remove_tree(partial);
    const auto source = layers.resolve(path);
    if (source && source->is_directory()) {
      os::make_directories(partial);
      const os::UniqueFd root = os::open_file(partial, O_RDONLY | O_DIRECTORY);
      TreeCopy(root.get()).run(*source);
      copy_attributes(source->top(), source->status, root.get(), partial);
      copy_times(source->status, root.get(), partial);
      os::check(::rename(partial.c_str(), ready.c_str()),
                [&] { return "rename '" + partial + "'"; });
      move_into_volume(ready, directory);
      copied = true;
    }
  }
  ::unlink((beside + ".lock").c_str());
  return copied;
}

}  // namespace image
