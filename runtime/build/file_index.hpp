// The digests of files that were read before, by what the kernel says of them: a file whose inode,
// size and times are the same has the same content. Makes a second look at a large context quick.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/image/digest.hpp"

namespace build {

class FileIndex {
 public:
  /// Reads `path`; a missing or damaged index is an empty one.
  explicit FileIndex(std::string path);

  std::optional<image::Digest> find(const struct stat& status) const;
  /// Files that changed just now are not remembered: they may change again unseen.
  void remember(const struct stat& status, const image::Digest& digest);
  /// Writes it beside its place and renames it; entries that were not asked for since it was read
  /// are dropped once there are too many.
  void save();

 private:
  struct Key {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    std::int64_t size = 0;
    std::int64_t modified = 0;  ///< ns
    std::int64_t changed = 0;   ///< ns
    std::string digest;         ///< 32 bytes
    mutable bool used = false;
  };
  static Entry entry_of(const struct stat& status);

  std::string path_;
  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;
  bool changed_ = false;
};

}  // namespace build
