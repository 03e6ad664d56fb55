// What is wrong in a Dockerfile, where, and what to write instead; all of it is collected and
// reported at once. Pure.
#pragma once

#include <compare>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace build {

/// A place in a text; both count from 1, 0 stands for "no place".
struct Position {
  std::size_t line = 0;
  std::size_t column = 0;
  auto operator<=>(const Position&) const = default;
};

struct Mistake {
  Position at;
  std::string message;
  std::string hint;  ///< what to write or do instead; may be empty
};

/// `FILE:3:7: error: MESSAGE`, the line of `text`, a caret under the column, and the hint.
std::string render(const Mistake& mistake, std::string_view file, std::string_view text,
                   bool is_error = true);
/// The lines around `at` with their numbers, the line itself marked: what a failed step shows.
std::string excerpt(std::string_view text, std::size_t first_line, std::size_t last_line);

/// A Dockerfile is wrong; what() shows every mistake.
class InvalidDockerfile : public std::exception {
 public:
  InvalidDockerfile(std::vector<Mistake> mistakes, std::string_view file, std::string_view text);
  const std::vector<Mistake>& mistakes() const noexcept { return mistakes_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::vector<Mistake> mistakes_;
  std::string text_;
};

/// Of `candidates` the one nearest to `word` by edit distance; empty when none is near enough.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
/// "did you mean X?", or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace build
