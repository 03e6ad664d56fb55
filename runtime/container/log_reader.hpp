// Reads a container's log while it is written: from the start, the last N lines or a time on; and
// follows it over rotations. The caller polls a descriptor, nothing here waits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/container/log_file.hpp"
#include "runtime/os/fd.hpp"

namespace container {

using LogTime = std::chrono::sys_time<std::chrono::nanoseconds>;

struct LogEntry {
  LogTime time;
  LogStream stream = LogStream::out;
  bool partial = false;   ///< the line goes on in the stream's next entry; print no newline
  std::string_view text;  ///< without newline; valid until the next call on the reader
};

/// Parses one line of the file without its newline; nothing when it is not in the format.
std::optional<LogEntry> parse_log_line(std::string_view line);
/// Parses RFC 3339 with up to nine digits of a second, "Z" or an offset; nothing when malformed.
std::optional<LogTime> parse_rfc3339(std::string_view text);

struct LogReaderOptions {
  std::optional<std::size_t> tail;  ///< only so many last lines; all when absent
  std::optional<LogTime> since;     ///< only entries at or after
  std::optional<LogTime> until;     ///< only entries before; ends the reading
};

class LogReader {
 public:
  /// The file need not exist yet, its directory must when it is to be followed.
  explicit LogReader(std::string path, const LogReaderOptions& options = {});

  /// The next entry; nothing when all that is written has been read. Lines that are not
  /// in the format are skipped, an unfinished last line waits for its rest.
  std::optional<LogEntry> next();

  /// From now on wake() tells of new entries. Call it before the reading that must miss nothing.
  void follow();
  /// A descriptor (inotify(7), non-blocking) that is readable when next() may have more. Poll it;
  /// then call drain() and next() until that gives nothing.
  int wake() const noexcept { return inotify_.get(); }
  void drain();

 private:
  void seek_tail(std::size_t lines);
  bool fill();
  bool open_next();
  std::optional<std::string_view> next_line();
  std::string name(unsigned index) const;
  bool open_file(unsigned index);
  bool take_file(os::UniqueFd file);
  bool is_ours(unsigned index) const;
  unsigned oldest() const;

  std::string path_;
  LogReaderOptions options_;
  os::UniqueFd file_;
  std::uint64_t inode_ = 0;
  std::uint64_t device_ = 0;
  std::string buffer_;
  std::size_t position_ = 0;  ///< in buffer_: what is before it was returned
  bool ended_ = false;
  os::UniqueFd inotify_;
};

}  // namespace container
