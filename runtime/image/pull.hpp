// An image out of a registry into the store: layers come several at a time and are unpacked while
// they come. What was fetched stays when a pull is cut off; nothing is visible before all of it is
// complete and verified.
#pragma once

#include <functional>
#include <optional>

#include "runtime/image/limits.hpp"
#include "runtime/image/platform.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/registry.hpp"
#include "runtime/image/store.hpp"

namespace image {

struct PullOptions {
  std::optional<Platform> platform;  ///< of an index, which image; the host's when absent
  Limits limits;
  RegistryOptions registry;
  unsigned parallel = 4;  ///< layers that come at once
  /// Bytes of the layers that are there, and that there will be. Called from several threads, one
  /// at a time.
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

struct PullResult {
  Image image;
  Digest digest;                ///< that the name has in the registry
  bool changed = false;         ///< the name means something else than before
  bool other_platform = false;  ///< the only image there is runs on another machine
};

/// Throws os::Error; the store then is as it was, with what has come kept for the next pull.
PullResult pull(Store& store, const Reference& reference, const PullOptions& options);

/// What a pulled image's name was last seen to mean; nothing for other images.
struct PullRecord {
  Digest digest;
  std::optional<Timestamp> at;
};
std::optional<PullRecord> pull_record(const Store& store, const Reference& reference);

}  // namespace image
