// Builds an image from a Dockerfile: stages in parallel, nothing that the target does not need,
// nothing that was made before.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "runtime/build/cancel.hpp"
#include "runtime/build/options.hpp"
#include "runtime/image/digest.hpp"
#include "runtime/image/store.hpp"
#include "runtime/os/file.hpp"

namespace build {

struct BuildResult {
  image::Digest id;  ///< of the image
  image::Digest manifest;
};

/// RUN/builds/ID, a build's own directory, and the lock beside it that says that the build lives.
/// It comes before everything that the build makes (its network, too) and goes after it, so that
/// sweep_builds() finds what is left of one that was killed.
class Presence {
 public:
  Presence(const std::string& run_directory, const std::string& id);
  ~Presence();
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

 private:
  std::string directory_;
  os::FileLock alive_;
};

/// Needs a Presence of `options.id`. Throws InvalidDockerfile, BuildFailed, Canceled or os::Error.
/// What was made until then stays in the cache.
BuildResult build_image(image::Store& store, const BuildOptions& options, Cancel& cancel);

/// Takes away what builds that were killed left in `run_directory`: containers, directories.
/// `discard` takes a dead build's network away, by its name. Returns how many there were.
std::size_t sweep_builds(const std::string& run_directory, const std::string& runtime,
                         const std::function<void(const std::string& build)>& discard);

/// Removes cache mounts that nobody uses and that were last used before `before`; with `all` also
/// what is remembered of the digests of files.
void prune_mounts(const std::string& data_directory, std::filesystem::file_time_type before,
                  bool all);

}  // namespace build
