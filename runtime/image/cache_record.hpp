// What a build step once made, by the key of the step: a layer that stays in the store as long as
// its record does, whether an image uses it or not.
//
//   ROOT/cache/KEY    a JSON document
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/image/digest.hpp"
#include "runtime/image/json.hpp"
#include "runtime/image/layout.hpp"
#include "runtime/image/manifest.hpp"
#include "runtime/image/timestamp.hpp"

namespace image {

struct CacheRecord {
  Descriptor blob;  ///< the layer
  Digest diff_id;
  Digest chain;  ///< of the layer on those below it
  Timestamp created{};
};

/// One as JSON, and back; throws os::Error for what is none.
Json to_json(const CacheRecord& record);
CacheRecord cache_record(const Json& object);

/// Where a store keeps its records.
std::string cache_directory(const Layout& layout);
/// Nothing when there is none, or none that can be read: then the step runs again.
std::optional<CacheRecord> read_cache_record(const std::string& directory, const Digest& key);
/// Written beside its place and renamed; the layer must be there already.
void write_cache_record(const std::string& directory, const Digest& key, const CacheRecord& record);
/// Notes that the record is used, at most once a day: what is long unused is pruned first.
void touch_cache_record(const std::string& directory, const Digest& key);
/// The keys of all records.
std::vector<Digest> cache_keys(const std::string& directory);
/// Forgets a record; content when there is none.
void remove_cache_record(const std::string& directory, const Digest& key);

}  // namespace image
