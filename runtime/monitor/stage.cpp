#include "runtime/monitor/stage.hpp"

#include <array>
#include <cerrno>

#include "runtime/os/error.hpp"

namespace monitor {

std::string_view stage_name(Stage stage) {
  static constexpr std::array<std::string_view, 29> kNames = {
      "",         "validate", "seal",    "cgroup",         "limits",      "netns",
      "clone",    "place",    "idmap",   "join-namespace", "propagation", "rootfs",
      "mount",    "device",   "console", "sysctl",         "hook",        "pivot",
      "cgroupns", "paths",    "lsm",     "descriptors",    "cwd",         "capabilities",
      "identity", "seccomp",  "lookup",  "gate",           "exec"};
  const auto number = static_cast<std::size_t>(stage);
  return number < kNames.size() ? kNames[number] : std::string_view("unknown");
}

int Failure::exit_code() const {
  if (stage != Stage::lookup && stage != Stage::exec) return 125;
  if (errnum == ENOENT || errnum == ENOTDIR) return 127;
  return errnum == EACCES || errnum == ENOEXEC || errnum == EISDIR || errnum == ELOOP ? 126 : 125;
}

Failure current_failure(Stage stage) {
  try {
    throw;
  } catch (const StageError& error) {
    return error.failure();
  } catch (const os::Error& error) {
    return {stage, error.code(), error.what()};
  } catch (const std::exception& error) {
    return {stage, 0, error.what()};
  }
}

}  // namespace monitor
