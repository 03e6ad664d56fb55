// A build cache under a name of a registry; see shared_cache.hpp.
#pragma once

#include "runtime/build/shared_cache.hpp"

namespace build {

std::unique_ptr<SharedCache> open_registry_cache(const std::string& name,
                                                 const image::Layout& layout,
                                                 const image::RegistryOptions& options);
/// Nothing is written for no content: a manifest has layers.
void write_registry_cache(const std::string& name, const CacheContent& content,
                          const image::Layout& layout, const image::RegistryOptions& options);

}  // namespace build
