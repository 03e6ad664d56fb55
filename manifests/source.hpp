// Where a value stands in the user's files, so that every complaint can point; and the one way in
// which manifests reads a file.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace manifests {

/// One file as it was read; shared by every position in it.
struct Source {
  std::string name;  ///< as the user gave it, "-" for standard input
  std::string text;
  /// Line `number` (from 1) without its end; empty past the end. Not for several threads at once:
  /// the first call finds where all lines begin.
  std::string_view line(int number) const;

 private:
  mutable std::vector<std::size_t> starts_ = {};  ///< of the lines of `text`; empty: not yet known
};

/// A place in a file. Lines and columns count from 1; 0 means unknown (a value that was made).
struct Position {
  std::shared_ptr<const Source> source;
  int line = 0;
  int column = 0;
  explicit operator bool() const { return source != nullptr && line > 0; }
};

/// No file that manifests reads may be larger: 16 MiB.
inline constexpr std::size_t kMaxSourceBytes = std::size_t{16} << 20;

/// Which kinds of file read_source takes. A file that the user named may be a pipe (`<(…)`); one
/// that was merely found, or that a file names, must not make the reader wait for a writer.
enum class FileKind { regular, regular_or_pipe };

/// Reads `path` whole; `name` (by default the path) is what positions show. Follows symbolic links;
/// /dev/null is an empty file. Throws std::system_error, whose what() begins with "open PATH", when
/// it is missing, unreadable, a directory, of another kind, or larger than kMaxSourceBytes.
std::shared_ptr<const Source> read_source(const std::string& path, std::string name = {},
                                          FileKind kind = FileKind::regular);

}  // namespace manifests
