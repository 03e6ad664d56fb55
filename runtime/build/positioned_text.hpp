// Text joined from several lines of a file that still knows where each of its bytes was written.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/build/mistake.hpp"

namespace build {

class PositionedText {
 public:
  PositionedText() = default;
  PositionedText(std::string_view text, Position at) { append(text, at); }

  /// Adds `text`, whose first byte stands at `at` and the others in the same line.
  void append(std::string_view text, Position at);
  const std::string& text() const noexcept { return text_; }
  /// Where the byte at `offset` was written; past the end, the place after the last one.
  Position at(std::size_t offset) const;
  /// The part from `offset` on.
  PositionedText from(std::size_t offset) const;
  /// Drops blanks at both ends.
  void trim();
  /// Drops what follows the first `length` bytes.
  void cut(std::size_t length) { text_.resize(length); }

 private:
  struct Piece {
    std::size_t offset = 0;
    Position at;
  };
  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace build
