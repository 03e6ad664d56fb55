// Where a value stands in the user's files, so that every complaint can point.
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
  /// Line `number` (from 1) without its end; empty past the end.
  std::string_view line(int number) const;
};

/// A place in a file. Lines and columns count from 1; 0 means unknown (a value that was made).
struct Position {
  std::shared_ptr<const Source> source;
  int line = 0;
  int column = 0;
  explicit operator bool() const { return source != nullptr && line > 0; }
};

}  // namespace manifests
