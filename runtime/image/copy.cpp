#include "runtime/image/copy.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "runtime/os/error.hpp"

namespace image {

namespace {

std::string descriptor_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

/// The names in a list of extended attributes, each ended by a NUL.
std::vector<std::string> xattr_names(int fd) {
  std::string list(64 * 1024, '\0');  // XATTR_LIST_MAX
  const ssize_t length = ::flistxattr(fd, list.data(), list.size());
  std::vector<std::string> names;
  for (std::size_t i = 0; length > 0 && i < static_cast<std::size_t>(length);) {
    names.emplace_back(list.c_str() + i);
    i += names.back().size() + 1;
  }
  return names;
}

void copy_xattrs(int from, int to, const std::string& name) {
  for (const std::string& attribute : xattr_names(from)) {
    if (!is_allowed_xattr(attribute)) continue;
    std::string value(64 * 1024, '\0');  // XATTR_SIZE_MAX
    const ssize_t length = ::fgetxattr(from, attribute.c_str(), value.data(), value.size());
    if (length < 0) continue;  // removed meanwhile
    if (::fsetxattr(to, attribute.c_str(), value.data(), static_cast<std::size_t>(length), 0) !=
            0 &&
        errno != ENOTSUP)
      throw os::Error(errno, "set attribute " + attribute + " of '" + name + "'");
  }
}

/// Copies the bytes in [begin, end) at the same offsets.
void copy_range(int from, int to, off_t begin, off_t end, const std::string& name) {
  std::vector<char> buffer;
  bool in_kernel = true;
  while (begin < end) {
    off_t from_offset = begin;
    off_t to_offset = begin;
    const auto wanted = static_cast<std::size_t>(end - begin);
    ssize_t n = -1;
    if (in_kernel) n = ::copy_file_range(from, &from_offset, to, &to_offset, wanted, 0);
    if (n < 0) {  // not between these file systems
      in_kernel = false;
      buffer.resize(256 * 1024);
      n = os::check(::pread(from, buffer.data(), std::min(buffer.size(), wanted), begin),
                    [&] { return "read '" + name + "'"; });
      const ssize_t written =
          os::check(::pwrite(to, buffer.data(), static_cast<std::size_t>(n), begin),
                    [&] { return "write '" + name + "'"; });
      n = std::min(n, written);
    }
    if (n == 0) return;  // the file became shorter
    begin += n;
  }
}

/// Copies data and leaves holes as holes (lseek(2), SEEK_DATA).
void copy_data(int from, int to, off_t size, const std::string& name) {
  os::check(::ftruncate(to, size), [&] { return "set the size of '" + name + "'"; });
  for (off_t begin = 0; begin < size;) {
    const off_t data = ::lseek(from, begin, SEEK_DATA);
    if (data < 0) return;  // ENXIO: only a hole is left
    off_t hole = ::lseek(from, data, SEEK_HOLE);
    if (hole < 0) hole = size;
    copy_range(from, to, data, std::min(hole, size), name);
    begin = hole;
  }
}

void copy_regular(const LayerStack::Node& node, int directory, const std::string& name) {
  const os::UniqueFd from = os::open_file(descriptor_path(node.fd.get()), O_RDONLY);
  const os::UniqueFd to =
      os::open_at(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  constexpr off_t kBlock = 512;  // of st_blocks
  if (node.status.st_blocks * kBlock >= node.status.st_size)
    copy_range(from.get(), to.get(), 0, node.status.st_size, name);
  else
    copy_data(from.get(), to.get(), node.status.st_size, name);
  copy_attributes(from.get(), node.status, to.get(), name);
  copy_times(node.status, to.get(), name);
}

/// Owner and times of what cannot be opened: links and special files.
void copy_owner_and_times(const struct stat& status, int directory, const std::string& name) {
  os::check(::fchownat(directory, name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW),
            [&] { return "set the owner of '" + name + "'"; });
  if (!S_ISLNK(status.st_mode)) {
    const os::UniqueFd fd = os::open_at(directory, name, O_PATH | O_NOFOLLOW);
    os::check(::chmod(descriptor_path(fd.get()).c_str(), status.st_mode & 07777),
              [&] { return "set the mode of '" + name + "'"; });
  }
  const std::array<timespec, 2> times{status.st_mtim, status.st_mtim};
  os::check(::utimensat(directory, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW),
            [&] { return "set the times of '" + name + "'"; });
}

}  // namespace

bool is_allowed_xattr(std::string_view name) {
  if (name == "security.capability") return true;
  return name.starts_with("user.") && !name.starts_with("user.overlay.");
}

void copy_attributes(int from, const struct stat& status, int to, const std::string& name) {
  os::check(::fchown(to, status.st_uid, status.st_gid),
            [&] { return "set the owner of '" + name + "'"; });
  copy_xattrs(from, to, name);
  os::check(::fchmod(to, status.st_mode & 07777), [&] { return "set the mode of '" + name + "'"; });
}

void copy_times(const struct stat& status, int fd, const std::string& name) {
  const std::array<timespec, 2> times{status.st_mtim, status.st_mtim};
  os::check(::futimens(fd, times.data()), [&] { return "set the times of '" + name + "'"; });
}

bool copy_file(const LayerStack::Node& node, int to, const std::string& name) {
  if (S_ISSOCK(node.status.st_mode)) return false;
  if (S_ISREG(node.status.st_mode)) {
    copy_regular(node, to, name);
    return true;
  }
  if (S_ISLNK(node.status.st_mode)) {
    const std::string target = read_link(node.fd.get(), name);
    os::check(::symlinkat(target.c_str(), to, name.c_str()),
              [&] { return "make the symbolic link '" + name + "'"; });
  } else {
    os::check(
        ::mknodat(to, name.c_str(), (node.status.st_mode & S_IFMT) | 0600U, node.status.st_rdev),
        [&] { return "make the special file '" + name + "'"; });
  }
  copy_owner_and_times(node.status, to, name);
  return true;
}

}  // namespace image
