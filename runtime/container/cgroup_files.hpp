// Reading the small text files of a control group.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace container {

/// The one number of a file; nothing when the file is missing or says "max".
std::optional<std::uint64_t> read_number(const std::string& path);
/// The number after `key` in a file of "KEY NUMBER" lines; nothing when there is none.
std::optional<std::uint64_t> read_keyed(const std::string& path, std::string_view key);
/// The same in the text of such a file.
std::optional<std::uint64_t> find_keyed(std::string_view text, std::string_view key);
/// Process numbers in `directory` and all groups below it, sorted.
std::vector<pid_t> read_processes(const std::string& directory);
/// The groups right below `directory`.
std::vector<std::string> child_groups(const std::string& directory);
/// The parts of `text` between `separator`s, without empty ones. They point into `text`, which is
/// why a temporary string is refused.
std::vector<std::string_view> fields(std::string_view text, char separator);
std::vector<std::string_view> fields(std::string&& text, char separator) = delete;
/// A decimal number; nothing when `text` is anything else.
std::optional<std::uint64_t> to_number(std::string_view text);

}  // namespace container
