// What the store takes on the disk, and for whom.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "runtime/image/store.hpp"
#include "runtime/os/disk_usage.hpp"

namespace image {

struct ImageUsage {
  Image image;
  std::int64_t bytes = 0;   ///< of its layers and blobs on the disk
  std::int64_t shared = 0;  ///< of these, what other images need too
};

struct StoreUsage {
  std::vector<ImageUsage> images;
  std::int64_t image_bytes = 0;   ///< of all images together, what they share counted once
  std::int64_t active_bytes = 0;  ///< of those in use
  std::int64_t cache_bytes = 0;   ///< of what only builds use
};

/// Looks at the whole store. `disk` counts on from here: what is of no image and no build is left.
StoreUsage measure(const Store& store, const std::set<Digest>& in_use, os::DiskUsage& disk);

/// What an image needs; nothing that cannot be read.
Reachable parts_of_image(const Layout& layout, const Digest& manifest);

}  // namespace image
