// Durations as Go writes them, which Dockerfiles use: "1m30s", "1.5h", "250ms". Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace image {

/// Nothing when `text` is no such duration, is negative or passes 292 years.
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text);
/// As Go's Duration.String: "1h0m0s", "1.5s", "500ms", "0s".
std::string go_duration(std::chrono::nanoseconds duration);

}  // namespace image
