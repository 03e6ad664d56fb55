#include "runtime/monitor/procfs.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/mount.hpp"

namespace monitor {

namespace {

constexpr ino_t kProcRootInode = 1;

void require_procfs(int fd, const std::string& name) {
  struct statfs status {};
  os::check(::fstatfs(fd, &status), [&] { return "look at '" + name + "'"; });
  if (status.f_type != PROC_SUPER_MAGIC)
    throw os::Error("'" + name + "' is not on the proc file system");
}

}  // namespace

Procfs Procfs::open() {
  try {
    os::FilesystemContext context("proc");
    const os::UniqueFd mount = context.mount(0);
    return from_mount(mount.get());
  } catch (const os::Error& error) {
    if (error.code() != EPERM && error.code() != ENOSYS) throw;
  }
  os::UniqueFd root = os::open_file("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW);
  require_procfs(root.get(), "/proc");
  struct stat status {};
  os::check(::fstat(root.get(), &status), [] { return std::string("look at '/proc'"); });
  if (status.st_ino != kProcRootInode) throw os::Error("'/proc' is not the root of procfs");
  return Procfs(std::move(root));
}

Procfs Procfs::from_mount(int mount) {
  os::UniqueFd root = os::open_at(mount, ".", O_PATH | O_DIRECTORY);
  require_procfs(root.get(), "/proc");
  return Procfs(std::move(root));
}

namespace {

/// The name of a setting says where it belongs, so it must not go up and elsewhere.
void require_no_way_up(const std::string& path) {
  if (("/" + path + "/").find("/../") != std::string::npos)
    throw os::Error(EINVAL, "open '/proc/" + path + "'");
}

}  // namespace

os::UniqueFd Procfs::open_file(const std::string& path, int flags) const {
  require_no_way_up(path);
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
  const long fd = os::check(::syscall(SYS_openat2, root_.get(), path.c_str(), &how, sizeof how),
                            [&] { return "open '/proc/" + path + "'"; });
  os::UniqueFd file(static_cast<int>(fd));
  require_procfs(file.get(), "/proc/" + path);
  return file;
}

void Procfs::write(const std::string& path, std::string_view data) const {
  const os::UniqueFd file = open_file(path, O_WRONLY);
  const ssize_t written = os::check(::write(file.get(), data.data(), data.size()), [&] {
    return "write '" + std::string(data) + "' to '/proc/" + path + "'";
  });
  if (static_cast<std::size_t>(written) != data.size())
    throw os::Error(EIO, "write to '/proc/" + path + "'");
}

std::string Procfs::read(const std::string& path) const {
  return os::read_all(open_file(path, O_RDONLY).get(), os::kSmallFile, "/proc/" + path);
}

}  // namespace monitor
