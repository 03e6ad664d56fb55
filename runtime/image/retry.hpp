// When a request to a registry is worth another try, and how long to wait before it. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace image {

/// How often a request is made before it has failed.
inline constexpr int kTries = 5;
/// No server makes us wait longer than this before a try.
inline constexpr std::chrono::milliseconds kMaxDelay{60'000};

/// Whether an answer with this status may come out better next time: 0 (no answer at all), 408, 429
/// and the 5xx that do not say "never".
bool is_retryable(int status);

/// What Retry-After says at the time `now`: seconds, or a date (RFC 9110, 10.2.3). Nothing when it
/// is malformed.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text,
                                                      std::chrono::system_clock::time_point now);

/// The pause after the try number `tried` (from 1): half a second, doubled each time, of which a
/// part by `random` (0 to 1) so that clients do not come back together; never less than the server
/// asked for, never more than kMaxDelay.
std::chrono::milliseconds retry_delay(int tried, std::optional<std::chrono::seconds> asked,
                                      double random);

}  // namespace image
