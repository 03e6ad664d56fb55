// Builds an image from a Dockerfile: stages in parallel, nothing that the target does not need,
// nothing that was made before.
#pragma once

#include <string>
#include <vector>

#include "runtime/build/cancel.hpp"
#include "runtime/build/options.hpp"
#include "runtime/image/digest.hpp"
#include "runtime/image/store.hpp"

namespace build {

struct BuildResult {
  image::Digest id;  ///< of the image
  image::Digest manifest;
};

/// Throws InvalidDockerfile, BuildFailed, Canceled or os::Error. What was made until then stays in
/// the cache.
BuildResult build_image(image::Store& store, const BuildOptions& options, Cancel& cancel);

/// Takes away what builds that were killed left in `run_directory`: containers, directories.
/// `discard` takes a dead build's network away, by its name.
void sweep_builds(const std::string& run_directory, const std::string& runtime,
                  const std::function<void(const std::string& build)>& discard);

}  // namespace build
