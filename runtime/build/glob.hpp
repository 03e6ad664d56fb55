// Patterns of names: those of paths (Go's filepath.Match, and `**` of .dockerignore), and those
// inside ${name#pattern}. Pure; time is bounded by pattern length times text length.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace build {

/// Whether `path` is matched whole: `*` and `?` stop at "/", `[a-z]` and `[^a]` are classes, `\c`
/// is c itself. With `double_star`, `**` stands for any directories, also none.
bool match_path(std::string_view pattern, std::string_view path, bool double_star = false);
/// Whether there is anything in the pattern that is not taken literally.
bool has_wildcard(std::string_view pattern);
/// What is wrong with a path pattern (a class or an escape without end); empty when nothing is.
std::string pattern_mistake(std::string_view pattern);
/// The pattern with its escapes taken away.
std::string unescape_pattern(std::string_view pattern);

/// The lengths of the prefixes of `text` that the pattern matches; `*` is anything and `?` one
/// character, "/" included; `\` escapes. Sorted.
std::vector<std::size_t> matching_prefixes(std::string_view pattern, std::string_view text);

}  // namespace build
