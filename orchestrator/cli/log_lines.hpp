// Whole lines out of a container's log, and the lines of several containers in the order of their
// times.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/cli/time_text.hpp"
#include "runtime/container/log_reader.hpp"

namespace cli {

struct LogLine {
  Time time;
  container::LogStream stream = container::LogStream::out;
  std::string text;  ///< without newline
};

/// A line longer than this is given out in pieces, so that memory stays bounded.
inline constexpr std::size_t kMaxLogLine = 1024 * 1024;

/// Puts the pieces of long lines together again, each stream for itself. Pure.
class LineAssembler {
 public:
  /// The line that this piece completes, if it does.
  std::optional<LogLine> add(const container::LogEntry& entry);
  /// Lines that no newline has ended, oldest first; they are over now.
  std::vector<LogLine> rest();

 private:
  std::array<std::optional<LogLine>, 2> open_;  ///< by stream
};

/// The lines of one container.
class LineReader {
 public:
  LineReader(const std::string& path, const container::LogReaderOptions& options, bool follow);

  /// The next line, kept until pop(); nothing when all that is written has been read.
  const LogLine* peek();
  void pop() { head_.reset(); }
  std::vector<LogLine> rest() { return assembler_.rest(); }
  int wake() const { return follow_ ? reader_.wake() : -1; }
  void drain() {
    if (follow_) reader_.drain();
  }

 private:
  container::LogReader reader_;
  bool follow_;
  LineAssembler assembler_;
  std::optional<LogLine> head_;
};

}  // namespace cli
