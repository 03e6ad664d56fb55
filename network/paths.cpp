#include "network/paths.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "runtime/os/error.hpp"

namespace network {

Paths::Paths(const std::string& run_dir, const std::string& project)
    : networks(run_dir + "/networks"),
      lock(networks + "/lock"),
      directory(networks + "/" + project),
      netns(directory + "/netns"),
      record(directory + "/record.json") {
  if (project.empty() || project.starts_with('.') || project.find('/') != std::string::npos) {
    throw os::Error("invalid project name '" + project + "'");
  }
}

bool is_pinned_namespace(const std::string& path) {
  struct statfs status {};
  return ::statfs(path.c_str(), &status) == 0 && status.f_type == NSFS_MAGIC;
}

}  // namespace network
