#include "runtime/monitor/seal.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"
#include "runtime/os/process.hpp"

namespace monitor {

namespace {
constexpr const char* kOwnFile = "/proc/self/exe";
// Where the file was before: from the detached mount no path leads back to it.
constexpr const char* kOriginalPath = "STACK_RUNTIME_EXECUTABLE";
}  // namespace

// Why a mount and not a sealed memory file: its pages are those of the file, shared by all
// monitors, where a memory file would cost each its own copy and the time to make it. A process
// that gets hold of the file through /proc/PID/exe sees it on a read-only mount that belongs to no
// mount namespace: it cannot be remounted, cloned or unmounted from inside a container, so opening
// it for writing fails with EROFS.
void run_from_read_only_mount(char** arguments) {
  struct statvfs status {};
  os::check(::statvfs(kOwnFile, &status), [] { return std::string("look at our executable"); });
  if ((status.f_flag & ST_RDONLY) != 0) return;
  const os::UniqueFd file = os::open_file(kOwnFile, O_PATH);
  const os::UniqueFd mount = os::clone_mount(file.get(), "", false);
  os::set_mount_attributes(mount.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0,
                           MS_PRIVATE, false, kOwnFile);
  ::setenv(kOriginalPath, os::self_executable().c_str(), 1);
  ::execveat(mount.get(), "", arguments, environ, AT_EMPTY_PATH);
  throw os::Error(errno, "execute ourselves from a read-only mount");
}

std::string own_binary_path() {
  const char* path = ::getenv(kOriginalPath);
  return path != nullptr ? std::string(path) : os::self_executable();
}

std::string init_helper_path() {
  const std::string own = own_binary_path();
  return own.substr(0, own.rfind('/') + 1) + "stack-init";
}

}  // namespace monitor
