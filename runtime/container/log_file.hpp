// The log of a container: one file in the CRI log format (Kubernetes, "CRI: Log format"), a line
// per line of output:
//
//   2026-01-31T09:30:00.123456789Z stdout F text
//
// F is a full line; P is a part of a line that goes on in the next entry of its stream: a line is
// cut every 16 KiB, and output that ended without a newline ends with a P. Rotated by size:
// NAME → NAME.1 → NAME.2 …, never inside a line.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/os/fd.hpp"

namespace container {

enum class LogStream { out, err };
std::string_view log_stream_name(LogStream stream) noexcept;

inline constexpr std::size_t kLogChunk = 16 * 1024;

struct LogOptions {
  std::uint64_t max_size = 0;  ///< bytes of one file before it is rotated; 0: never
  unsigned max_files = 1;      ///< the current one included
};

/// Writes what comes out of the pipes. One write(2) per call of write() as a rule.
class LogWriter {
 public:
  /// Appends to `path` (mode 0600).
  LogWriter(std::string path, const LogOptions& options);

  /// Takes a piece of output as it was read. A line that is not complete is kept until the rest
  /// comes or 16 KiB are there. Never throws for a disk that is full or failing: the output is
  /// dropped and counted.
  void write(LogStream stream, std::string_view data);
  /// The stream has ended: writes what is kept of its last line.
  void finish(LogStream stream);
  /// The begin of a line that is kept until the rest comes.
  std::string_view pending(LogStream stream) const noexcept;
  /// Bytes of output in pieces that could not be written whole.
  std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  struct Pending {
    std::string text;      ///< the begin of a line
    bool partial = false;  ///< a P entry of this line is written
  };
  void append_entry(LogStream stream, char tag, std::string_view first, std::string_view second);
  void append_line(LogStream stream, std::string_view text);
  std::string_view keep_chunks(LogStream stream, std::string_view rest);
  void refresh_timestamp();
  void flush();
  void drop_after(std::size_t done);
  void rotate_if_due();
  void rotate();
  void open();

  std::string path_;
  LogOptions options_;
  os::UniqueFd file_;
  std::uint64_t size_ = 0;  ///< of the file, what is buffered included
  std::uint64_t dropped_ = 0;
  std::uint64_t buffered_output_ = 0;
  std::string buffer_;
  std::array<Pending, 2> pending_;
  std::array<char, 32> timestamp_{};
  std::int64_t timestamp_second_ = -1;
};

}  // namespace container
