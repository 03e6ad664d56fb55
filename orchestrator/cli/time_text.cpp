#include "orchestrator/cli/time_text.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "manifests/values.hpp"
#include "runtime/container/log_reader.hpp"

namespace cli {

using std::chrono::nanoseconds;

std::string duration_text(nanoseconds duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return std::to_string(seconds) + " seconds";
  const auto minutes = seconds / 60;
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return std::to_string(minutes) + " minutes";
  const auto hours = (seconds + 1800) / 3600;
  if (hours == 1) return "About an hour";
  if (hours < 48) return std::to_string(hours) + " hours";
  if (hours < 24 * 7 * 2) return std::to_string(hours / 24) + " days";
  if (hours < 24 * 30 * 2) return std::to_string(hours / 24 / 7) + " weeks";
  if (hours < 24 * 365 * 2) return std::to_string(hours / 24 / 30) + " months";
  return std::to_string(hours / 24 / 365) + " years";
}

namespace {

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

nanoseconds to_nanoseconds(double seconds) {
  return nanoseconds(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
}

// Beyond this a count of nanoseconds does not fit: year 2262.
constexpr double kMostSeconds = 9.2e9;

}  // namespace

std::optional<Time> parse_time(std::string_view text, Time now) {
  if (const auto time = container::parse_rfc3339(text)) return *time;
  if (const auto seconds = parse_number(text); seconds && std::abs(*seconds) < kMostSeconds)
    return Time(to_nanoseconds(*seconds));
  const auto ago = manifests::parse_duration(text);
  if (const auto* duration = std::get_if<manifests::Duration>(&ago)) return now - *duration;
  const std::string given(text);
  if (given.size() == 10) return container::parse_rfc3339(given + "T00:00:00Z");
  if (given.size() == 16) return container::parse_rfc3339(given + ":00Z");
  if (given.size() == 19) return container::parse_rfc3339(given + "Z");
  return std::nullopt;
}

std::string utc_text(Time time) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S +0000 UTC", &parts);
  return text;
}

Time time_of(const std::string& rfc3339) {
  return container::parse_rfc3339(rfc3339).value_or(Time{});
}

}  // namespace cli
