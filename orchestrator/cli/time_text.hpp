// Times as people say them: "3 seconds", "About a minute", "42m" ago. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace cli {

using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

/// "Less than a second", "3 seconds", "About a minute", "2 hours", "5 weeks" (Docker's words).
std::string duration_text(std::chrono::nanoseconds duration);

/// What `--since` and `--until` take: RFC 3339, a date, seconds since 1970, or how long before
/// `now`. Nothing when it is none of these.
std::optional<Time> parse_time(std::string_view text, Time now);

/// "2026-01-31 09:30:00 +0000 UTC", as `ps --format json` has it.
std::string utc_text(Time time);

/// Like parse_rfc3339, with the epoch for what cannot be read.
Time time_of(const std::string& rfc3339);

}  // namespace cli
