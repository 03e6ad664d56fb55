#include "runtime/os/mount.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <exception>
#include <filesystem>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace os {

FilesystemContext::FilesystemContext(const std::string& type)
    : fd_(check(::fsopen(type.c_str(), FSOPEN_CLOEXEC),
                [&] { return "open file system type '" + type + "'"; })),
      type_(type) {}

void FilesystemContext::fail(int errnum, const std::string& tried) {
  std::string message = tried;
  char line[512];
  ssize_t n = 0;
  while ((n = ::read(fd_.get(), line, sizeof line)) > 0)
    message += " (" + std::string(line, static_cast<std::size_t>(n)) + ")";
  throw Error(errnum, message);
}

void FilesystemContext::set_string(const std::string& key, const std::string& value) {
  if (::fsconfig(fd_.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0) != 0)
    fail(errno, "set " + type_ + " option " + key + "=" + value);
}

void FilesystemContext::set_flag(const std::string& key) {
  if (::fsconfig(fd_.get(), FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0) != 0)
    fail(errno, "set " + type_ + " option " + key);
}

void FilesystemContext::set_directory(const std::string& key, const std::string& path) {
  UniqueFd directory = open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (::fsconfig(fd_.get(), FSCONFIG_SET_FD, key.c_str(), nullptr, directory.get()) == 0) return;
  // EOPNOTSUPP: overlayfs knows its options as one line of text only (before Linux 6.5).
  if (errno == EOPNOTSUPP && key == "lowerdir+") {
    lower_.push_back(std::move(directory));
  } else if (errno == EOPNOTSUPP || errno == EINVAL || errno == EBADF) {
    set_string(key, path);
  } else {
    fail(errno, "set " + type_ + " option " + key + " to '" + path + "'");
  }
}

void FilesystemContext::set_collected() {
  constexpr std::size_t kLongest = 255;  // fsconfig(2)
  std::string numbers;
  for (const UniqueFd& layer : lower_)
    numbers += (numbers.empty() ? "" : ":") + std::to_string(layer.get());
  if (numbers.size() > kLongest)
    throw Error(E2BIG, "mount an overlay of " + std::to_string(lower_.size()) +
                           " layers, which needs Linux 6.7");
  set_string("lowerdir", numbers);
}

void FilesystemContext::create() {
  if (::fsconfig(fd_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    fail(errno, "create file system " + type_);
}

UniqueFd FilesystemContext::mount(std::uint64_t attributes) {
  if (lower_.empty()) {
    create();
  } else {
    // Descriptors named by number, so that all fit: looked up from where they have that name. The
    // working directory of other threads stays.
    set_collected();
    check(::unshare(CLONE_FS), [] { return std::string("have a working directory of our own"); });
    const UniqueFd before = open_file(".", O_PATH | O_DIRECTORY);
    check(::chdir("/proc/self/fd"), [] { return std::string("change to '/proc/self/fd'"); });
    std::exception_ptr failure;
    try {
      create();
    } catch (...) {
      failure = std::current_exception();
    }
    check(::fchdir(before.get()), [] { return std::string("change back from '/proc/self/fd'"); });
    if (failure) std::rethrow_exception(failure);
  }
  const int mount = ::fsmount(fd_.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes));
  if (mount < 0) fail(errno, "mount " + type_);
  return UniqueFd(mount);
}

UniqueFd clone_mount(int directory, const std::string& path, bool recursive) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  if (path.empty()) flags |= AT_EMPTY_PATH;
  if (recursive) flags |= AT_RECURSIVE;
  return UniqueFd(check(::open_tree(directory, path.c_str(), flags),
                        [&] { return "clone the mount at '" + path + "'"; }));
}

UniqueFd clone_read_only(const std::string& path) {
  const UniqueFd file = open_file(path, O_PATH);
  UniqueFd mount = clone_mount(file.get(), "", false);
  set_mount_attributes(mount.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0,
                       MS_PRIVATE, false, path);
  return mount;
}

void attach_mount(int mount, int target, const std::string& name) {
  check(::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH),
        [&] { return "mount on '" + name + "'"; });
}

void set_mount_attributes(int mount, std::uint64_t set, std::uint64_t clear,
                          std::uint64_t propagation, bool recursive, const std::string& name) {
  struct mount_attr attributes {};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  attributes.propagation = propagation;
  const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U);
  check(::mount_setattr(mount, "", flags, &attributes, sizeof attributes),
        [&] { return "set mount attributes of '" + name + "'"; });
}

void detach_mount(const std::string& path) {
  if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return;
  if (errno != EINVAL && errno != ENOENT) throw Error(errno, "unmount '" + path + "'");
}

bool is_mount_point(const std::string& path) {
  struct statx status {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) != 0)
    return false;
  return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

UniqueFd open_in_root(int root, std::string_view path, int flags, mode_t mode) {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const std::string name(path.empty() ? "." : path);
  long fd = -1;
  do {  // EAGAIN: a rename raced with the walk
    fd = ::syscall(SYS_openat2, root, name.c_str(), &how, sizeof how);
  } while (fd < 0 && (errno == EAGAIN || errno == EINTR));
  check(fd, [&] { return "open '" + name + "' inside the root file system"; });
  return UniqueFd(static_cast<int>(fd));
}

namespace {

constexpr int kMaxLinks = 40;

UniqueFd make_directories(int root, std::string_view path, mode_t mode, int links);

/// Where the link `name` in `parent` points, as a path from the root; empty when it is no link.
std::string target_of(int parent, const std::string& name, const std::string& walked) {
  char buffer[PATH_MAX];
  const ssize_t n = ::readlinkat(parent, name.c_str(), buffer, sizeof buffer);
  if (n < 0) return {};
  const std::string target(buffer, static_cast<std::size_t>(n));
  const std::string directory = walked.substr(0, walked.rfind('/'));
  return std::filesystem::path(target.starts_with('/') ? target : directory + "/" + target)
      .lexically_normal()
      .string();
}

/// One path component as a directory of `parent`, made when missing. A link is followed inside
/// root, also one that leads to nothing yet.
UniqueFd step_into(int root, const std::string& walked, int parent, const std::string& name,
                   mode_t mode, int links) {
  if (::mkdirat(parent, name.c_str(), mode) != 0 && errno != EEXIST)
    throw Error(errno, "make directory '" + walked + "' inside the root file system");
  try {
    return open_in_root(root, walked, O_PATH | O_DIRECTORY);
  } catch (const Error& error) {
    const std::string target = target_of(parent, name, walked);
    if (error.code() != ENOENT || target.empty() || links == 0) throw;
    return make_directories(root, target, mode, links - 1);
  }
}

UniqueFd make_directories(int root, std::string_view path, mode_t mode, int links) {
  UniqueFd current = open_in_root(root, ".", O_PATH | O_DIRECTORY);
  std::string walked;
  for (std::size_t begin = 0; begin <= path.size();) {
    std::size_t end = path.find('/', begin);
    if (end == std::string_view::npos) end = path.size();
    const std::string name(path.substr(begin, end - begin));
    begin = end + 1;
    if (name.empty() || name == ".") continue;
    if (name == "..") throw Error(EINVAL, "use '..' in '" + std::string(path) + "'");
    walked += "/" + name;
    current = step_into(root, walked, current.get(), name, mode, links);
  }
  return current;
}

}  // namespace

UniqueFd make_directories_in_root(int root, std::string_view path, mode_t mode) {
  return make_directories(root, path, mode, kMaxLinks);
}

std::string path_of(int fd) {
  char buffer[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t n =
      check(::readlink(link.c_str(), buffer, sizeof buffer), [&] { return "read '" + link + "'"; });
  return std::string(buffer, static_cast<std::size_t>(n));
}

UniqueFd make_mount_point(int root, std::string_view path, bool directory) {
  if (directory) return make_directories_in_root(root, path);
  const auto slash = path.rfind('/');
  if (slash != std::string_view::npos && slash > 0) {
    make_directories_in_root(root, path.substr(0, slash));
  }
  try {
    return open_in_root(root, path, O_PATH);
  } catch (const Error& error) {
    if (error.code() != ENOENT) throw;
  }
  open_in_root(root, path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644);
  return open_in_root(root, path, O_PATH);
}

}  // namespace os
