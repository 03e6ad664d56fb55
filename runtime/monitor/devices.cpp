#include "runtime/monitor/devices.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/monitor/mounts.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"

namespace monitor {

namespace {

struct Place {
  os::UniqueFd parent;
  std::string name;
};

Place place_of(int root, const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash + 1 == path.size())
    throw os::Error(EINVAL, "use '" + path + "' as the path of a node");
  return {os::make_directories_in_root(root, path.substr(0, slash)), path.substr(slash + 1)};
}

mode_t kind_of(const container::Device& device) {
  if (device.type == 'b') return S_IFBLK;
  return device.type == 'p' ? S_IFIFO : S_IFCHR;
}

dev_t number_of(const container::Device& device) {
  if (device.type == 'p') return 0;
  return makedev(static_cast<unsigned>(device.major), static_cast<unsigned>(device.minor));
}

bool is_node(const Place& place, const container::Device& device) {
  struct stat status {};
  if (::fstatat(place.parent.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return false;
  return (status.st_mode & S_IFMT) == kind_of(device) && status.st_rdev == number_of(device);
}

void bind_host_node(int root, const container::Device& device) {
  const os::UniqueFd node = os::open_file(device.path, O_PATH | O_NOFOLLOW);
  struct stat status {};
  os::check(::fstat(node.get(), &status), [&] { return "look at '" + device.path + "'"; });
  if ((status.st_mode & S_IFMT) != kind_of(device) || status.st_rdev != number_of(device))
    throw os::Error(ENODEV, "bind the host's '" + device.path + "'");
  const os::UniqueFd mount = os::clone_mount(node.get(), "", false);
  attach_in_root(root, mount.get(), device.path, false);
}

}  // namespace

void create_device(int root, const container::Device& device) {
  const Place place = place_of(root, clean_path(device.path));
  const mode_t mode = device.file_mode.value_or(0666) & 07777;
  if (::mknodat(place.parent.get(), place.name.c_str(), kind_of(device) | mode,
                number_of(device)) != 0) {
    if (errno == EPERM) return bind_host_node(root, device);
    if (errno != EEXIST || !is_node(place, device))
      throw os::Error(errno, "make device '" + device.path + "'");
  }
  os::check(::fchownat(place.parent.get(), place.name.c_str(), device.uid.value_or(0),
                       device.gid.value_or(0), AT_SYMLINK_NOFOLLOW),
            [&] { return "set the owner of device '" + device.path + "'"; });
}

void create_link(int root, const LinkStep& link) {
  const Place place = place_of(root, link.path);
  if (::symlinkat(link.target.c_str(), place.parent.get(), place.name.c_str()) == 0) return;
  if (errno == EEXIST && !link.replace) return;
  if (errno != EEXIST) throw os::Error(errno, "make link '" + link.path + "'");
  os::check(::unlinkat(place.parent.get(), place.name.c_str(), 0),
            [&] { return "replace '" + link.path + "'"; });
  os::check(::symlinkat(link.target.c_str(), place.parent.get(), place.name.c_str()),
            [&] { return "make link '" + link.path + "'"; });
}

bool is_null_device(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

os::UniqueFd open_null(int root) {
  os::UniqueFd null = os::open_in_root(root, "/dev/null", O_PATH | O_NOFOLLOW);
  if (!is_null_device(null.get()))
    throw os::Error(ENODEV, "use '/dev/null' of the root file system");
  return null;
}

void replace_null_streams(int root) {
  for (int stream = 0; stream < 3; ++stream) {
    if (!is_null_device(stream)) continue;
    open_null(root);
    const os::UniqueFd null = os::open_in_root(root, "/dev/null", O_RDWR | O_NOFOLLOW);
    if (!is_null_device(null.get())) throw os::Error(ENODEV, "open '/dev/null'");
    os::check(::dup2(null.get(), stream), [] { return std::string("use '/dev/null'"); });
  }
}

namespace {

std::optional<os::UniqueFd> open_if_there(int root, const std::string& path) {
  try {
    return os::open_in_root(root, path, O_PATH);
  } catch (const os::Error& error) {
    if (error.code() == ENOENT || error.code() == ENOTDIR) return std::nullopt;
    throw;
  }
}

os::UniqueFd make_empty_filesystem() {
  // Some kernels count the root directory twice.
  for (const char* inodes : {"1", "2"}) {
    try {
      os::FilesystemContext context("tmpfs");
      context.set_string("source", "tmpfs");
      context.set_string("nr_blocks", "1");
      context.set_string("nr_inodes", inodes);
      context.set_flag("ro");
      return context.mount(MOUNT_ATTR_RDONLY);
    } catch (const os::Error& error) {
      if (error.code() != ENOSPC || *inodes == '2') throw;
    }
  }
  throw os::Error(ENOSPC, "make an empty file system");
}

}  // namespace

void PathMask::hide_directory(int target, const std::string& path) {
  if (empty_) {
    const os::UniqueFd mount = os::clone_mount(empty_.get(), "", false);
    return os::attach_mount(mount.get(), target, path);
  }
  empty_ = make_empty_filesystem();
  os::attach_mount(empty_.get(), target, path);
}

void PathMask::hide(int root, const std::string& path) {
  const auto target = open_if_there(root, path);
  if (!target) return;
  struct stat status {};
  os::check(::fstat(target->get(), &status), [&] { return "look at '" + path + "'"; });
  if (S_ISDIR(status.st_mode)) return hide_directory(target->get(), path);
  const os::UniqueFd null = open_null(root);
  const os::UniqueFd mount = os::clone_mount(null.get(), "", false);
  os::attach_mount(mount.get(), target->get(), path);
}

void make_readonly(int root, const std::string& path) {
  const auto target = open_if_there(root, path);
  if (!target) return;
  const os::UniqueFd mount = os::clone_mount(target->get(), "", true);
  os::set_mount_attributes(mount.get(), MOUNT_ATTR_RDONLY, 0, 0, true, path);
  os::attach_mount(mount.get(), target->get(), path);
}

void make_mount_readonly(int root, const std::string& path) {
  const os::UniqueFd mount = os::open_in_root(root, path, O_PATH);
  os::set_mount_attributes(mount.get(), MOUNT_ATTR_RDONLY, 0, 0, false, path);
}

}  // namespace monitor
