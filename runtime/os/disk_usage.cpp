#include "runtime/os/disk_usage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>

#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"

namespace os {

namespace {

constexpr std::int64_t kBlock = 512;  // of st_blocks, whatever the file system's own are

}  // namespace

std::int64_t DiskUsage::add(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return 0;
    throw Error(errno, "look at '" + path + "'");
  }
  return add_entry(AT_FDCWD, path.c_str(), status.st_dev);
}

std::int64_t DiskUsage::add_entry(int parent, const char* name, std::uint64_t device) {
  struct stat status {};
  if (::fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || status.st_dev != device)
    return 0;
  std::int64_t bytes = seen_.emplace(status.st_dev, status.st_ino).second
                           ? std::int64_t{status.st_blocks} * kBlock
                           : 0;
  if (!S_ISDIR(status.st_mode)) return bytes;
  UniqueFd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return bytes;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), &::closedir);
  if (!stream) return bytes;
  const int directory = fd.release();  // the stream owns it now
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view each = entry->d_name;
    if (each != "." && each != "..") bytes += add_entry(directory, entry->d_name, device);
  }
  return bytes;
}

}  // namespace os
