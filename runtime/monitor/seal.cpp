#include "runtime/monitor/seal.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/container/state.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"
#include "runtime/os/process.hpp"

namespace monitor {

namespace {
constexpr const char* kOwnFile = "/proc/self/exe";
}  // namespace

// Why a mount and not a sealed memory file: its pages are those of the file, shared by all
// monitors, where a memory file would cost each its own copy and the time to make it. A supervisor
// starts its monitors from such a mount: they find nothing to do.
void run_from_read_only_mount(char** arguments) {
  struct statvfs status {};
  os::check(::statvfs(kOwnFile, &status), [] { return std::string("look at our executable"); });
  if ((status.f_flag & ST_RDONLY) != 0) return;
  const os::UniqueFd mount = os::clone_read_only(kOwnFile);
  ::setenv(container::kRuntimePathVariable, os::self_executable().c_str(), 1);
  ::execveat(mount.get(), "", arguments, environ, AT_EMPTY_PATH);
  throw os::Error(errno, "execute ourselves from a read-only mount");
}

std::string own_binary_path() {
  const char* path = ::getenv(container::kRuntimePathVariable);
  return path != nullptr ? std::string(path) : os::self_executable();
}

std::string init_helper_path() {
  const std::string own = own_binary_path();
  return own.substr(0, own.rfind('/') + 1) + "stack-init";
}

}  // namespace monitor
