// Points in time as image documents write them: RFC 3339 with up to nine decimals.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace image {

using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// "2024-05-01T12:00:00.25+02:00" as a point in time; nothing when it is not RFC 3339.
std::optional<Timestamp> parse_timestamp(std::string_view text);
/// In UTC, without trailing zeros in the fraction: "2024-05-01T10:00:00.25Z".
std::string format_timestamp(Timestamp time);

}  // namespace image
