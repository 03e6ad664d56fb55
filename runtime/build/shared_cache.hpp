// A cache that builds on several machines share: layers of steps, by the keys of the steps, and
// what cache mounts hold. In a directory:
//
//   records/KEY         a record
//   blobs/sha256/HEX    a layer
//   mounts/KEY          a tar
//
// In a registry, a manifest: its configuration has the records, its layers are the layers of the
// steps, then the tars of the mounts, each with its key as an annotation.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "runtime/build/cache_location.hpp"
#include "runtime/image/blob_writer.hpp"
#include "runtime/image/cache_record.hpp"
#include "runtime/image/layout.hpp"
#include "runtime/image/registry.hpp"

namespace build {

/// To take from. What lies there is not trusted: whoever takes checks digests.
class SharedCache {
 public:
  virtual ~SharedCache() = default;
  virtual std::optional<image::CacheRecord> find(const image::Digest& key) const = 0;
  /// Makes the file `path` the layer. Throws os::Error.
  virtual image::StagedFile fetch(const image::Descriptor& layer, const std::string& path) = 0;
  /// Opens the tar of a mount, using the file `path` if need be; nothing when there is none.
  virtual os::UniqueFd open_mount(const std::string& key, const std::string& path) = 0;
};

/// Copies the layer from `fd` (of `from`) to the file `path`. Throws os::Error(EFBIG) once there is
/// more than the layer's size.
image::StagedFile copy_layer(int fd, const std::string& from, const image::Descriptor& layer,
                             const std::string& path);

/// Throws os::Error when there is no cache.
std::unique_ptr<SharedCache> open_shared_cache(const CacheLocation& location,
                                               const image::Layout& layout,
                                               const image::RegistryOptions& registry);

/// What to give. The layers are in the store.
struct CacheContent {
  std::map<image::Digest, image::CacheRecord> records;
  std::map<std::string, std::string> mounts;  ///< key → file, a tar
};

/// A directory keeps what it has and gets what is new; a name in a registry means this content from
/// now on. Throws os::Error.
void write_shared_cache(const CacheLocation& location, const CacheContent& content,
                        const image::Layout& layout, const image::RegistryOptions& registry);

}  // namespace build
