// What an entry of `cache_from` and `cache_to` names. Pure.
#pragma once

#include <optional>
#include <string>

namespace build {

struct CacheLocation {
  enum class Kind { directory, registry };
  Kind kind = Kind::registry;
  std::string place;          ///< an absolute path, or the name of an image
  bool mounts = false;        ///< what cache mounts hold, too
  bool ignore_error = false;  ///< a build succeeds though its cache cannot be written

  bool operator==(const CacheLocation&) const = default;
};

enum class CacheUse { from, to };

/// Reads `NAME`, `type=registry,ref=NAME` and `type=local,src|dest=DIRECTORY`, with `mounts` and
/// `ignore-error` (true, false); a path is relative to `directory`. Options of BuildKit that mean
/// nothing here are passed over. Nothing for a type that is not known; throws os::Error for a
/// mistake.
std::optional<CacheLocation> parse_cache_location(const std::string& entry, CacheUse use,
                                                  const std::string& directory);

}  // namespace build
