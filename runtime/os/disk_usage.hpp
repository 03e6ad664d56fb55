// What files take on the disk, counted as du(1) does: blocks and not lengths, each inode once.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

namespace os {

/// Adds up trees; what an earlier one has counted already counts no more.
class DiskUsage {
 public:
  /// The bytes that the tree at `path` adds, 0 when nothing is there. Stays on its file system,
  /// follows no link; what vanishes meanwhile is passed over.
  std::int64_t add(const std::string& path);

 private:
  std::int64_t add_entry(int parent, const char* name, std::uint64_t device);
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;  ///< device, inode
};

}  // namespace os
