#include "runtime/image/layer_tree.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>

#include "runtime/image/copy.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/mount.hpp"

namespace image {

namespace {

/// Archives list a directory's entries one after the other, so few are in use at a time.
constexpr std::size_t kCachedDirectories = 64;

std::string join(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

}  // namespace

LayerTree::LayerTree(int root, const LayerStack& lower, const Limits& limits)
    : root_(root), lower_(lower), limits_(limits) {}

std::optional<struct stat> LayerTree::own_entry(const Directory& parent, const std::string& name) {
  struct stat status {};
  if (::fstatat(parent.fd.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  throw os::Error(errno, "look at '" + join(parent.path, name) + "'");
}

LayerTree::DirectoryRef LayerTree::open_own(const Directory& parent,
                                            const std::string& name) const {
  if (parent.depth + 1 > limits_.depth)
    throw os::Error(ELOOP,
                    "unpack directories nested deeper than " + std::to_string(limits_.depth));
  return std::make_shared<Directory>(
      Directory{os::open_at(parent.fd.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
                join(parent.path, name), parent.depth + 1});
}

LayerTree::DirectoryRef LayerTree::directory(const std::string& path) {
  if (const auto cached = cache_.find(path); cached != cache_.end()) return cached->second;
  if (cache_.size() >= kCachedDirectories) cache_.clear();
  DirectoryRef found = walk(path).back().own;
  cache_.emplace(path, found);
  return found;
}

std::vector<LayerTree::Frame> LayerTree::walk(const std::string& path) {
  std::vector<Frame> frames(1);
  frames[0].own = std::make_shared<Directory>(
      Directory{os::open_at(root_, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW), "", 0});
  std::deque<std::string> pending;
  prepend_names(path, pending);
  int links = 0;
  while (!pending.empty()) {
    const std::string name = std::move(pending.front());
    pending.pop_front();
    if (name == ".") continue;
    if (name == "..") {
      if (frames.size() > 1) frames.pop_back();
      continue;
    }
    step(frames, name, pending, links);
  }
  return frames;
}

void LayerTree::step(std::vector<Frame>& frames, const std::string& name,
                     std::deque<std::string>& pending, int& links) {
  const Directory& parent = *frames.back().own;
  const auto own = own_entry(parent, name);
  if (own && S_ISDIR(own->st_mode)) {
    frames.push_back({open_own(parent, name), name, false, std::nullopt});
  } else if (own && S_ISLNK(own->st_mode)) {
    const os::UniqueFd link = os::open_at(parent.fd.get(), name, O_PATH | O_NOFOLLOW);
    follow(frames, read_link(link.get(), name), pending, links);
  } else if (own && is_whiteout(*own)) {
    DirectoryRef made = make_directory(parent, name);
    os::check(::fchmod(made->fd.get(), 0755), [&] { return "set the mode of '" + name + "'"; });
    frames.push_back({std::move(made), name, true, std::nullopt});
  } else if (own) {
    throw os::Error(ENOTDIR, "unpack below '" + join(parent.path, name) + "'");
  } else {
    auto lower = lower_child(frames, name);
    if (lower && S_ISLNK(lower->status.st_mode)) {
      follow(frames, read_link(lower->fd.get(), name), pending, links);
    } else {
      make_missing(frames, name, std::move(lower));
    }
  }
}

void LayerTree::follow(std::vector<Frame>& frames, const std::string& target,
                       std::deque<std::string>& pending, int& links) {
  if (++links > kMaxLinks) throw os::Error(ELOOP, "follow the link to '" + target + "'");
  if (target.starts_with('/')) frames.erase(frames.begin() + 1, frames.end());
  prepend_names(target, pending);
}

void LayerTree::make_missing(std::vector<Frame>& frames, const std::string& name,
                             std::optional<LayerStack::Node> lower) {
  const Directory& parent = *frames.back().own;
  os::check(::mkdirat(parent.fd.get(), name.c_str(), 0700),
            [&] { return "make directory '" + join(parent.path, name) + "'"; });
  DirectoryRef made = open_own(parent, name);
  if (lower && lower->is_directory()) {
    copy_attributes(lower->top(), lower->status, made->fd.get(), made->path);
    set_time_later(*made, lower->status.st_mtim);
  } else {
    lower.reset();
    os::check(::fchmod(made->fd.get(), 0755), [&] { return "set the mode of '" + name + "'"; });
  }
  frames.push_back({std::move(made), name, true, std::move(lower)});
}

const LayerStack::Node* LayerTree::lower_of(std::vector<Frame>& frames, std::size_t index) {
  Frame& frame = frames[index];
  if (!frame.lower_known) {
    frame.lower_known = true;
    if (index == 0) {
      if (!lower_.empty()) frame.lower = lower_.root();
    } else if (!is_opaque(frame.own->fd.get())) {
      const LayerStack::Node* above = lower_of(frames, index - 1);
      if (above != nullptr) frame.lower = LayerStack::child(*above, frame.name);
      if (frame.lower && !frame.lower->is_directory()) frame.lower.reset();
    }
  }
  return frame.lower ? &*frame.lower : nullptr;
}

std::optional<LayerStack::Node> LayerTree::lower_child(std::vector<Frame>& frames,
                                                       const std::string& name) {
  if (lower_.empty()) return std::nullopt;
  const LayerStack::Node* lower = lower_of(frames, frames.size() - 1);
  return lower == nullptr ? std::nullopt : LayerStack::child(*lower, name);
}

std::optional<LayerStack::Node> LayerTree::lower_entry(const Directory& parent,
                                                       const std::string& name) {
  if (lower_.empty()) return std::nullopt;
  std::vector<Frame> frames = walk(parent.path);
  return lower_child(frames, name);
}

void LayerTree::clear_place(const Directory& parent, const std::string& name) {
  if (::unlinkat(parent.fd.get(), name.c_str(), 0) == 0) {
    cache_.clear();  // it may have been a link that a cached path leads through
    return;
  }
  if (errno == ENOENT) return;
  if (errno != EISDIR && errno != EPERM)
    throw os::Error(errno, "replace '" + join(parent.path, name) + "'");
  cache_.clear();
  os::remove_tree("/proc/self/fd/" + std::to_string(parent.fd.get()) + "/" + name);
}

LayerTree::DirectoryRef LayerTree::make_directory(const Directory& parent,
                                                  const std::string& name) {
  const auto own = own_entry(parent, name);
  if (own && S_ISDIR(own->st_mode)) return open_own(parent, name);
  if (own) clear_place(parent, name);
  os::check(::mkdirat(parent.fd.get(), name.c_str(), 0700),
            [&] { return "make directory '" + join(parent.path, name) + "'"; });
  DirectoryRef made = open_own(parent, name);
  // The lower directory was removed by this layer, so this one does not continue it.
  if (own && is_whiteout(*own)) set_opaque(made->fd.get(), made->path);
  return made;
}

void LayerTree::white_out(const Directory& parent, const std::string& name) {
  const auto own = own_entry(parent, name);
  if (own && !S_ISDIR(own->st_mode)) return;
  const auto lower = lower_entry(parent, name);
  if (!lower) return;
  if (own) {
    if (lower->is_directory()) set_opaque(open_own(parent, name)->fd.get(), name);
    return;
  }
  os::check(::mknodat(parent.fd.get(), name.c_str(), S_IFCHR, ::makedev(0, 0)),
            [&] { return "white out '" + join(parent.path, name) + "'"; });
}

void LayerTree::make_opaque(const Directory& directory) {
  if (lower_.empty()) return;
  if (!directory.path.empty()) {
    set_opaque(directory.fd.get(), directory.path);
    return;
  }
  // overlayfs does not look at the mark on a layer's root, so each name goes by itself.
  for (const std::string& name : LayerStack::names(lower_.root())) white_out(directory, name);
}

void LayerTree::set_time_later(const Directory& directory, timespec modified) {
  times_.emplace_back(directory.path, modified);
}

void LayerTree::set_times() {
  cache_.clear();
  for (const auto& [path, modified] : times_) {
    try {
      const os::UniqueFd fd = os::open_in_root(root_, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      const std::array<timespec, 2> both{modified, modified};
      os::check(::futimens(fd.get(), both.data()),
                [&path = path] { return "set the times of '" + path + "'"; });
    } catch (const os::Error& error) {
      // A later entry took its place.
      if (error.code() != ENOENT && error.code() != ENOTDIR && error.code() != ELOOP) throw;
    }
  }
  times_.clear();
}

}  // namespace image
