#include "runtime/build/mount_points.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/build/dockerignore.hpp"
#include "runtime/image/copy.hpp"
#include "runtime/image/layer_tree.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

using image::LayerStack;
using image::LayerTree;

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

/// Where a link at `name` in `parent` leads: a path of the root. Nothing when it is no link.
std::optional<std::string> link_target(LayerTree& tree, const LayerTree::Directory& parent,
                                       const std::string& name) {
  const auto below = tree.lower_entry(parent, name);
  if (!below || !S_ISLNK(below->status.st_mode)) return std::nullopt;
  const std::string target = image::read_link(below->fd.get(), name);
  return clean_relative(target.starts_with('/') ? target : parent.path + "/" + target);
}

void make_point(LayerTree& tree, std::string path, bool directory) {
  for (int links = 0; links < image::kMaxLinks; ++links) {
    if (path.empty()) return;
    const LayerTree::DirectoryRef parent = tree.directory(parent_of(path));
    const std::string name = path.substr(path.rfind('/') + 1);
    if (const auto target = link_target(tree, *parent, name)) {
      path = *target;
      continue;
    }
    if (LayerTree::own_entry(*parent, name) || tree.lower_entry(*parent, name)) return;
    if (directory) {
      const LayerTree::DirectoryRef made = tree.make_directory(*parent, name);
      os::check(::fchmod(made->fd.get(), 0755), [&] { return "set the mode of '" + path + "'"; });
    } else {
      os::open_at(parent->fd.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    }
    return;
  }
  throw os::Error(ELOOP, "make the mount point '" + path + "'");
}

}  // namespace

void make_mount_points(const std::string& directory, const std::vector<std::string>& lower,
                       const std::vector<MountPoint>& points) {
  const os::UniqueFd root = os::open_file(directory, O_RDONLY | O_DIRECTORY);
  const LayerStack stack(lower);
  LayerTree tree(root.get(), stack, image::Limits{});
  for (const MountPoint& point : points) {
    try {
      // What is there already needs nothing, and no copies of the directories above it.
      if (stack.resolve(clean_relative(point.path))) continue;
      make_point(tree, clean_relative(point.path), point.directory);
    } catch (const os::Error& error) {
      throw error.in("mount point '" + point.path + "'");
    }
  }
  // The root is the image's own, with its time.
  tree.set_times();
  if (!stack.empty()) image::copy_times(stack.root().status, root.get(), "/");
}

}  // namespace build
