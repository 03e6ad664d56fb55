// Writes a tar archive the same way every time: ustar headers, pax records only where those will
// not do (POSIX.1-2017, pax). No names of users, no times but that of the content.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace build {

struct TarEntry {
  std::string path;  ///< relative; of a directory with a "/" at its end
  char type = '0';   ///< '0' file, '1' hard link, '2' symbolic link, '3' '4' devices, '5', '6'
  std::string link;
  mode_t mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t size = 0;
  std::int64_t modified = 0;  ///< seconds
  unsigned major = 0;
  unsigned minor = 0;
  std::map<std::string, std::string> xattrs;
};

class TarWriter {
 public:
  using Sink = std::function<void(std::string_view)>;
  explicit TarWriter(Sink sink) : sink_(std::move(sink)) {}

  /// The header; `entry.size` bytes of content must follow through content().
  void begin(const TarEntry& entry);
  void content(std::string_view data);
  /// Fills the last block.
  void end_entry();
  /// The end of the archive.
  void finish();

 private:
  void header(const TarEntry& entry, const std::string& path, const std::string& link);
  Sink sink_;
  std::int64_t written_ = 0;
};

}  // namespace build
