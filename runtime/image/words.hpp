// The words of a Dockerfile instruction: quotes, escapes and variables (BuildKit's shell lexer, as
// far as instructions that change only the configuration need it). Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace image {

/// The value of a variable, nothing when it is not set.
using Variables = std::function<std::optional<std::string>(std::string_view name)>;

std::string_view trim(std::string_view text);
/// Splits at blanks; quotes mean nothing.
std::vector<std::string> split_fields(std::string_view text);
/// Splits at blanks outside of quotes; quotes and escapes stay.
std::vector<std::string> split_quoted(std::string_view text);
/// Removes quotes and escapes and puts in variables: $n ${n} ${n:-w} ${n-w} ${n:+w} ${n+w}.
/// Throws os::Error for an unfinished quote and for other forms of substitution.
std::string expand(std::string_view text, const Variables& variables);

}  // namespace image
