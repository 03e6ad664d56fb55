// Cache mounts: DATA/mounts/KEY, and KEY.lock, held by the steps that use it (run_mounts.cpp).
#include <unistd.h>

#include "runtime/build/builder.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {

namespace {

namespace fs = std::filesystem;

void prune_one(const std::string& path, fs::file_time_type before) {
  // Whoever uses the cache holds its lock, from before it looks until its step has ended.
  const auto alone = os::FileLock::try_acquire(path + ".lock");
  if (!alone) return;
  std::error_code error;
  const auto used = fs::last_write_time(path, error);
  if (!error && used >= before) return;
  os::remove_tree(path);
  ::unlink((path + ".making").c_str());
  ::unlink((path + ".lock").c_str());
}

}  // namespace

void prune_mounts(const std::string& data_directory, fs::file_time_type before, bool all) {
  const std::string directory = data_directory + "/mounts";
  for (const std::string& name : os::list_directory(directory))
    if (!name.ends_with(".lock") && !name.ends_with(".making"))
      prune_one(directory + "/" + name, before);
  if (!all) return;
  for (const std::string& name : os::list_directory(data_directory))
    if (name.starts_with("index")) ::unlink((data_directory + "/" + name).c_str());
}

}  // namespace build
