#include "runtime/container/runtime_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "runtime/container/state.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"

namespace container {

RuntimeFile::RuntimeFile(std::string path) : executable_(std::move(path)) {
  const std::string variable = kRuntimePathVariable + std::string("=");
  for (char** each = environ; *each != nullptr; ++each)
    if (!std::string_view(*each).starts_with(variable)) environment_.emplace_back(*each);
  try {
    // A low number could be one that a monitor is given something else at.
    constexpr int kLowest = 64;
    file_.reset(os::check(::fcntl(os::clone_read_only(executable_).get(), F_DUPFD_CLOEXEC, kLowest),
                          [] { return std::string("duplicate a descriptor"); }));
    environment_.push_back(variable + executable_);
    executable_ = "/proc/self/fd/" + std::to_string(file_.get());
  } catch (const os::Error&) {
    // As it is.
  }
}

}  // namespace container
