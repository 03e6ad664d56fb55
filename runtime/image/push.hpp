// An image out of the store into a registry: blobs first, several at a time and none twice, the
// manifest last.
#pragma once

#include <functional>

#include "runtime/image/reference.hpp"
#include "runtime/image/registry.hpp"
#include "runtime/image/store.hpp"

namespace image {

struct PushOptions {
  RegistryOptions registry;
  unsigned parallel = 4;  ///< blobs that go at once
  /// Bytes that are there, and that there will be. Called from several threads, one at a time.
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

struct PushResult {
  Digest digest;          ///< of the manifest
  std::int64_t size = 0;  ///< of it
  std::int64_t sent = 0;  ///< bytes of blobs that had to go
};

/// Pushes the image that `reference` (with a tag) names here. Throws os::Error.
PushResult push(const Store& store, const Image& image, const Reference& reference,
                const PushOptions& options);

}  // namespace image
