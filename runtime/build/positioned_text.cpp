#include "runtime/build/positioned_text.hpp"

namespace build {

void PositionedText::append(std::string_view text, Position at) {
  pieces_.push_back({text_.size(), at});
  text_ += text;
}

Position PositionedText::at(std::size_t offset) const {
  Position position;
  for (const Piece& piece : pieces_) {
    if (piece.offset > offset) break;
    position = {piece.at.line, piece.at.column + (offset - piece.offset)};
  }
  return position;
}

PositionedText PositionedText::from(std::size_t offset) const {
  PositionedText rest;
  rest.text_ = text_.substr(std::min(offset, text_.size()));
  rest.pieces_.push_back({0, at(offset)});
  for (const Piece& piece : pieces_)
    if (piece.offset > offset) rest.pieces_.push_back({piece.offset - offset, piece.at});
  return rest;
}

void PositionedText::trim() {
  constexpr const char* kBlanks = " \t\r\v\f\n";
  const auto end = text_.find_last_not_of(kBlanks);
  text_.resize(end == std::string::npos ? 0 : end + 1);
  const auto begin = text_.find_first_not_of(kBlanks);
  if (begin != std::string::npos && begin > 0) *this = from(begin);
}

}  // namespace build
