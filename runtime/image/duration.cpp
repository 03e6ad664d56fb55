#include "runtime/image/duration.hpp"

#include <array>
#include <cstdint>
#include <limits>

namespace image {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

// "ms" and "µs" before "m": the longer name is tried first.
constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1'000},
                                      {"\xc2\xb5s", 1'000},
                                      {"\xce\xbcs", 1'000},
                                      {"ms", 1'000'000},
                                      {"s", 1'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"h", 3'600'000'000'000}}};

/// One number with its unit, taken from the front of `text`, as nanoseconds.
std::optional<double> take_part(std::string_view& text) {
  double value = 0;
  double scale = 1;
  bool digits = false;
  bool fraction = false;
  for (; !text.empty(); text.remove_prefix(1)) {
    const char c = text.front();
    if (c == '.' && !fraction) {
      fraction = true;
    } else if (c >= '0' && c <= '9') {
      digits = true;
      value = value * 10 + (c - '0');
      if (fraction) scale *= 10;
    } else {
      break;
    }
  }
  if (!digits) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return value / scale * static_cast<double>(unit.nanoseconds);
  }
  return std::nullopt;
}

/// `value` units of `unit`, with as many digits of the fraction as there are.
std::string with_fraction(std::int64_t value, std::int64_t unit, const char* name) {
  std::string text = std::to_string(value / unit);
  if (std::int64_t rest = value % unit; rest != 0) {
    text += '.';
    for (unit /= 10; rest != 0; unit /= 10) {
      text += static_cast<char>('0' + rest / unit);
      rest %= unit;
    }
  }
  return text + name;
}

}  // namespace

std::string go_duration(std::chrono::nanoseconds duration) {
  const std::int64_t value = duration.count();
  if (value == 0) return "0s";
  if (value < 1'000) return with_fraction(value, 1, "ns");
  if (value < 1'000'000) return with_fraction(value, 1'000, "\xc2\xb5s");
  if (value < 1'000'000'000) return with_fraction(value, 1'000'000, "ms");
  constexpr std::int64_t kMinute = 60'000'000'000;
  const std::int64_t minutes = value / kMinute;
  std::string text;
  if (minutes >= 60) text = std::to_string(minutes / 60) + "h";
  if (minutes > 0) text += std::to_string(minutes % 60) + "m";
  return text + with_fraction(value % kMinute, 1'000'000'000, "s");
}

std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text) {
  if (text == "0") return std::chrono::nanoseconds{0};
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto part = take_part(text);
    if (!part) return std::nullopt;
    total += *part;
  }
  if (!(total < static_cast<double>(std::numeric_limits<std::int64_t>::max()))) return std::nullopt;
  return std::chrono::nanoseconds{static_cast<std::int64_t>(total)};
}

}  // namespace image
