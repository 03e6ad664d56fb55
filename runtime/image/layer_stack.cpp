#include "runtime/image/layer_stack.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <set>

#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr const char* kOpaque = "trusted.overlay.opaque";

os::UniqueFd open_directory(int parent, const std::string& name) {
  return os::open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/// One layer's entry `name`; nothing when this layer has none.
std::optional<LayerStack::Node> own_entry(int layer, const std::string& name) {
  LayerStack::Node node;
  node.fd = os::UniqueFd(::openat(layer, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!node.fd) {
    if (errno == ENOENT || errno == ENAMETOOLONG) return std::nullopt;
    throw os::Error(errno, "look at '" + name + "' in an image layer");
  }
  os::check(::fstat(node.fd.get(), &node.status), [&] { return "look at '" + name + "'"; });
  return node;
}

/// The same, by name alone; a directory is opened all the same.
std::optional<LayerStack::Node> seen_entry(int layer, const std::string& name) {
  LayerStack::Node node;
  if (::fstatat(layer, name.c_str(), &node.status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT || errno == ENAMETOOLONG) return std::nullopt;
    throw os::Error(errno, "look at '" + name + "' in an image layer");
  }
  if (node.is_directory()) return own_entry(layer, name);
  node.parent = layer;
  node.name = name;
  return node;
}

/// Adds one layer's names to `seen`, and those it removes to `hidden`.
void collect_names(int layer, std::set<std::string>& seen, std::set<std::string>& hidden) {
  os::UniqueFd fd = open_directory(layer, ".");
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), &::closedir);
  if (!stream) throw os::Error(errno, "list a directory of an image layer");
  static_cast<void>(fd.release());  // the stream owns it now
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || seen.contains(name) || hidden.contains(name)) continue;
    struct stat status {};
    const bool is_mark = entry->d_type == DT_CHR &&
                         ::fstatat(layer, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                         is_whiteout(status);
    (is_mark ? hidden : seen).insert(name);
  }
}

}  // namespace

bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == ::makedev(0, 0);
}

bool is_opaque(int directory) {
  char value = '\0';
  return ::fgetxattr(directory, kOpaque, &value, 1) == 1 && value == 'y';
}

void set_opaque(int directory, const std::string& name) {
  os::check(::fsetxattr(directory, kOpaque, "y", 1, 0),
            [&] { return "mark directory '" + name + "' as opaque"; });
}

std::string read_link(int fd, const std::string& name) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = os::check(::readlinkat(fd, "", target.data(), target.size()),
                                   [&] { return "read the symbolic link '" + name + "'"; });
  target.resize(static_cast<std::size_t>(length));
  return target;
}

void prepend_names(std::string_view path, std::deque<std::string>& pending) {
  std::vector<std::string> names;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    if (end > 0) names.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  pending.insert(pending.begin(), names.begin(), names.end());
}

LayerStack::LayerStack(const std::vector<std::string>& directories) {
  roots_.reserve(directories.size());
  for (const std::string& directory : directories)
    roots_.push_back(os::open_file(directory, O_RDONLY | O_DIRECTORY));
}

LayerStack::Node LayerStack::root() const {
  Node node;
  for (const os::UniqueFd& root : roots_) node.merged.push_back(open_directory(root.get(), "."));
  if (!roots_.empty())
    os::check(::fstat(node.top(), &node.status), [] { return "look at the root of a layer"; });
  return node;
}

namespace {

template <typename Entry>
std::optional<LayerStack::Node> merge(const LayerStack::Node& directory, const std::string& name,
                                      const Entry& entry_of) {
  std::optional<LayerStack::Node> found;
  for (const os::UniqueFd& part : directory.merged) {
    auto entry = entry_of(part.get(), name);
    if (!entry) continue;
    if (is_whiteout(entry->status)) break;
    if (!entry->is_directory()) {
      if (!found) found = std::move(entry);
      break;
    }
    os::UniqueFd opened = open_directory(entry->fd.get(), ".");
    const bool last = is_opaque(opened.get());
    if (!found) {
      found.emplace();
      found->status = entry->status;
    }
    found->merged.push_back(std::move(opened));
    if (last) break;
  }
  return found;
}

}  // namespace

std::optional<LayerStack::Node> LayerStack::child(const Node& directory, const std::string& name) {
  return merge(directory, name, own_entry);
}

std::optional<LayerStack::Node> LayerStack::look(const Node& directory, const std::string& name) {
  return merge(directory, name, seen_entry);
}

void LayerStack::open(Node& node) {
  if (node.fd || node.parent < 0) return;
  auto entry = own_entry(node.parent, node.name);
  if (!entry || entry->status.st_dev != node.status.st_dev ||
      entry->status.st_ino != node.status.st_ino)
    throw os::Error("'" + node.name + "' was replaced while it was read");
  node.fd = std::move(entry->fd);
}

std::optional<LayerStack::Node> LayerStack::resolve(std::string_view path) const {
  if (empty()) return std::nullopt;
  std::deque<std::string> pending;
  prepend_names(path, pending);
  std::vector<Node> walked;
  walked.push_back(root());
  int links = 0;
  while (!pending.empty()) {
    const std::string name = std::move(pending.front());
    pending.pop_front();
    if (name == ".") continue;
    if (name == "..") {
      if (walked.size() > 1) walked.pop_back();
      continue;
    }
    auto node = child(walked.back(), name);
    if (!node) return std::nullopt;
    if (S_ISLNK(node->status.st_mode)) {
      if (++links > kMaxLinks)
        throw os::Error(ELOOP, "resolve '" + std::string(path) + "' in the image");
      const std::string target = read_link(node->fd.get(), name);
      if (target.starts_with('/')) walked.resize(1);
      prepend_names(target, pending);
      continue;
    }
    if (!node->is_directory()) {
      if (!pending.empty()) return std::nullopt;
      return node;
    }
    walked.push_back(*std::move(node));
  }
  return std::move(walked.back());
}

std::vector<std::string> LayerStack::names(const Node& directory) {
  std::set<std::string> seen;
  std::set<std::string> hidden;
  for (const os::UniqueFd& part : directory.merged) collect_names(part.get(), seen, hidden);
  return {seen.begin(), seen.end()};
}

std::optional<std::string> LayerStack::read_file(std::string_view path, std::size_t limit) const {
  const auto node = resolve(path);
  if (!node || !S_ISREG(node->status.st_mode)) return std::nullopt;
  // Through the descriptor that was looked at, so that what is opened is a regular file for sure.
  const os::UniqueFd fd =
      os::open_file("/proc/self/fd/" + std::to_string(node->fd.get()), O_RDONLY);
  return os::read_all(fd.get(), limit, std::string(path));
}

}  // namespace image
