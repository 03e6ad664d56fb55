#include "manifests/values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace manifests {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The power of 1024 that a byte suffix stands for; -1 when it is none.
int power_of(const std::string& suffix) {
  static constexpr std::string_view kUnits = "bkmgtp";
  if (suffix.empty()) return 0;
  const auto unit = kUnits.find(suffix.front());
  const std::string_view rest = std::string_view(suffix).substr(1);
  if (unit == std::string_view::npos) return -1;
  if (unit == 0) return rest.empty() ? 0 : -1;
  return rest.empty() || rest == "b" || rest == "ib" ? static_cast<int>(unit) : -1;
}

struct TimeUnit {
  std::string_view name;
  double nanoseconds;
};

constexpr std::array<TimeUnit, 9> kTimeUnits = {{{"ns", 1},
                                                 {"us", 1e3},
                                                 {"\u00b5s", 1e3},
                                                 {"ms", 1e6},
                                                 {"s", 1e9},
                                                 {"m", 60e9},
                                                 {"h", 3600e9},
                                                 {"d", 24 * 3600e9},
                                                 {"w", 7 * 24 * 3600e9}}};

Unreadable invalid(std::string_view what, std::string_view text) {
  return {"invalid " + std::string(what) + ": '" + std::string(text) + "'"};
}

/// Digits after the point, without trailing zeros: ".5", or nothing.
std::string fraction(std::int64_t part, std::int64_t whole) {
  std::string digits = std::to_string(whole + part).substr(1);
  digits.erase(digits.find_last_not_of('0') + 1);
  return digits.empty() ? "" : "." + digits;
}

}  // namespace

Parsed<Truth> parse_boolean(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "false") return Truth{word == "true", false};
  if (word == "y" || word == "yes" || word == "on") return Truth{true, true};
  if (word == "n" || word == "no" || word == "off") return Truth{false, true};
  return Unreadable{"invalid boolean: " + std::string(text)};
}

Parsed<std::int64_t> parse_integer(std::string_view text) {
  std::string_view digits = text;
  if (digits.size() > 1 && digits.front() == '+' && is_digit(digits[1])) digits.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return Unreadable{"invalid integer: " + std::string(text)};
  }
  return value;
}

Parsed<double> parse_number(std::string_view text) {
  std::string_view digits = text;
  if (digits.size() > 1 && digits.front() == '+') digits.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value)) {
    return Unreadable{"invalid number: " + std::string(text)};
  }
  return value;
}

Parsed<Bytes> parse_bytes(std::string_view text) {
  const auto last = text.find_last_of("0123456789. ");
  if (last == std::string_view::npos) return invalid("size", text);
  const std::string_view digits = text.substr(0, text[last] == ' ' ? last : last + 1);
  const int power = power_of(lower(text.substr(last + 1)));
  if (power < 0) return invalid("suffix", text.substr(last + 1));
  const Parsed<double> number = parse_number(digits);
  if (std::holds_alternative<Unreadable>(number)) return invalid("size", text);
  const double bytes = std::get<double>(number) * std::pow(1024.0, power);
  if (bytes < 0 || bytes >= static_cast<double>(std::numeric_limits<std::int64_t>::max())) {
    return invalid("size", text);
  }
  return Bytes{static_cast<std::int64_t>(bytes)};
}

Parsed<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  if (rest == "0") return Duration{};
  if (rest.empty()) return invalid("duration", text);
  double total = 0;
  while (!rest.empty()) {
    const auto number_end = std::min(rest.find_first_not_of("0123456789."), rest.size());
    const auto unit_end = std::min(rest.find_first_of("0123456789.", number_end), rest.size());
    const std::string_view digits = rest.substr(0, number_end);
    const std::string_view unit = rest.substr(number_end, unit_end - number_end);
    const auto known =
        std::find_if(kTimeUnits.begin(), kTimeUnits.end(),
                     [&](const TimeUnit& candidate) { return candidate.name == unit; });
    const Parsed<double> number = parse_number(digits);
    if (unit.empty()) return Unreadable{"missing unit in duration: '" + std::string(text) + "'"};
    if (known == kTimeUnits.end()) {
      return Unreadable{"unknown unit '" + std::string(unit) + "' in duration: '" +
                        std::string(text) + "'"};
    }
    if (std::holds_alternative<Unreadable>(number)) return invalid("duration", text);
    total += std::get<double>(number) * known->nanoseconds;
    rest.remove_prefix(unit_end);
  }
  if (total >= static_cast<double>(std::numeric_limits<std::int64_t>::max())) {
    return invalid("duration", text);
  }
  const auto count = static_cast<std::int64_t>(std::llround(total));
  return Duration(negative ? -count : count);
}

std::string duration_text(Duration duration) {
  using std::int64_t;
  const int64_t count = duration.count();
  if (count == 0) return "0s";
  // The lowest value has no positive counterpart.
  if (count == std::numeric_limits<int64_t>::min()) return "-2562047h47m16.854775808s";
  if (count < 0) return "-" + duration_text(-duration);
  if (count < 1'000) return std::to_string(count) + "ns";
  if (count < 1'000'000) {
    return std::to_string(count / 1'000) + fraction(count % 1'000, 1'000) + "\u00b5s";
  }
  if (count < 1'000'000'000) {
    return std::to_string(count / 1'000'000) + fraction(count % 1'000'000, 1'000'000) + "ms";
  }
  const int64_t seconds = count / 1'000'000'000;
  std::string text;
  if (seconds >= 3600) text += std::to_string(seconds / 3600) + "h";
  if (seconds >= 60) text += std::to_string(seconds / 60 % 60) + "m";
  return text + std::to_string(seconds % 60) + fraction(count % 1'000'000'000, 1'000'000'000) + "s";
}

Parsed<FileMode> parse_file_mode(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with("0o")) digits.remove_prefix(2);
  FileMode mode;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), mode.bits, 8);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return Unreadable{"invalid file mode: '" + std::string(text) + "' is not octal"};
  }
  return mode;
}

std::string file_mode_text(FileMode mode) {
  std::array<char, 16> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), mode.bits, 8);
  return "0" + std::string(digits.data(), end);
}

double single_precision(double value) {
  const auto single = static_cast<float>(value);
  std::array<char, 64> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), single);
  double shortest = value;
  std::from_chars(text.data(), end, shortest);
  return shortest;
}

bool is_ip_address(std::string_view text) {
  const std::string address(text);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
}

}  // namespace manifests
