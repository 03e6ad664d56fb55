// Variables in the words of a Dockerfile: quotes, escapes and every form of ${…} (the Dockerfile
// reference, "Environment replacement"; BuildKit's shell lexer). Pure.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace build {

/// The value of a variable, nothing when it is not set.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

/// A substitution that cannot be; `offset` is where in the text.
class ExpandError : public std::runtime_error {
 public:
  ExpandError(std::size_t offset, const std::string& message)
      : std::runtime_error(message), offset_(offset) {}
  std::size_t offset() const noexcept { return offset_; }

 private:
  std::size_t offset_;
};

struct ExpandOptions {
  char escape = '\\';
  bool keep_quotes = false;  ///< quotes mean nothing: the body of a heredoc
};

/// One word: quotes and escapes go, variables are put in. Throws ExpandError.
std::string expand_word(std::string_view text, const Lookup& lookup, ExpandOptions options = {});
/// Splits at blanks outside of quotes; what a variable gives is split too unless it is quoted.
std::vector<std::string> expand_words(std::string_view text, const Lookup& lookup,
                                      ExpandOptions options = {});

/// A word of a text, quotes and escapes as written, and where it begins.
struct RawWord {
  std::string text;
  std::size_t offset = 0;
};
/// Splits at blanks outside of quotes (ENV, LABEL, ARG).
std::vector<RawWord> split_quoted(std::string_view text, char escape = '\\');
/// Splits at blanks; quotes mean nothing (ADD, COPY, EXPOSE, FROM, VOLUME).
std::vector<RawWord> split_blanks(std::string_view text);

}  // namespace build
