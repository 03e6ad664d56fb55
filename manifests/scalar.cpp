#include "manifests/scalar.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace manifests {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words)
    if (text == word) return true;
  return false;
}

std::string without_underscores(std::string_view text) {
  std::string plain;
  for (const char c : text)
    if (c != '_') plain += c;
  return plain;
}

/// Splits `[+-](0x|0b|0o|0)?digits` into sign, base and digits.
struct IntegerParts {
  bool negative = false;
  int base = 10;
  std::string_view digits;
};

IntegerParts split_integer(std::string_view text) {
  IntegerParts parts;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    parts.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.size() > 1 && text[0] == '0') {
    const char mark = text[1];
    const bool marked =
        mark == 'x' || mark == 'X' || mark == 'b' || mark == 'B' || mark == 'o' || mark == 'O';
    parts.base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' || mark == 'B' ? 2 : 8;
    text.remove_prefix(marked ? 2 : 1);
  }
  parts.digits = text;
  return parts;
}

std::optional<std::uint64_t> magnitude(const IntegerParts& parts) {
  std::uint64_t value = 0;
  const char* end = parts.digits.data() + parts.digits.size();
  const auto [stop, error] = std::from_chars(parts.digits.data(), end, value, parts.base);
  if (parts.digits.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// Any integer that the reference keeps as one: a signed or an unsigned 64-bit number.
bool is_integer(std::string_view plain) {
  const IntegerParts parts = split_integer(plain);
  const auto value = magnitude(parts);
  return value && (!parts.negative || *value <= std::uint64_t{1} << 63);
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
bool has_float_form(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - begin;
  };
  const auto sign = [&] {
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  };
  sign();
  const std::size_t before = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0 && before == 0) return false;
  } else if (before == 0) {
    return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    sign();
    if (digits() == 0) return false;
  }
  return at == text.size();
}

std::optional<double> parse_float(std::string_view text) {
  if (is_one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"}))
    return std::numeric_limits<double>::infinity();
  if (is_one_of(text, {"-.inf", "-.Inf", "-.INF"})) return -std::numeric_limits<double>::infinity();
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return std::numeric_limits<double>::quiet_NaN();
  if (!has_float_form(text)) return std::nullopt;
  if (text[0] == '+') text.remove_prefix(1);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  // Out of range upwards is no number; downwards it is zero, as strconv has it.
  if (error == std::errc::result_out_of_range)
    return text.find('-', 1) != std::string_view::npos ? std::optional(0.0) : std::nullopt;
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// Reads between `least` and `most` digits; -1 when there are fewer.
int take_number(std::string_view& text, std::size_t least, std::size_t most) {
  int value = 0;
  std::size_t count = 0;
  while (count < most && count < text.size() && is_digit(text[count]))
    value = value * 10 + (text[count++] - '0');
  text.remove_prefix(count);
  return count < least ? -1 : value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

bool take_zone(std::string_view& text) {
  if (text.empty() || take(text, 'Z')) return true;
  if (!take(text, '+') && !take(text, '-')) return false;
  return take_number(text, 2, 2) >= 0 && take(text, ':') && take_number(text, 2, 2) >= 0;
}

/// `2006-1-2`, optionally with a time of day after `T`, `t` (then with zone) or a blank.
bool is_timestamp(std::string_view text) {
  if (text.size() < 8 || text[4] != '-') return false;
  if (take_number(text, 4, 4) < 0 || !take(text, '-')) return false;
  const int month = take_number(text, 1, 2);
  if (month < 1 || month > 12 || !take(text, '-')) return false;
  const int day = take_number(text, 1, 2);
  if (day < 1 || day > 31) return false;
  if (text.empty()) return true;
  const bool zoned = text[0] == 'T' || text[0] == 't';
  if (!zoned && text[0] != ' ') return false;
  text.remove_prefix(1);
  const int hour = take_number(text, 1, 2);
  if (hour < 0 || hour > 23 || !take(text, ':')) return false;
  const int minute = take_number(text, 1, 2);
  if (minute < 0 || minute > 59 || !take(text, ':')) return false;
  const int second = take_number(text, 1, 2);
  if (second < 0 || second > 59) return false;
  if (take(text, '.') && take_number(text, 1, 9) < 0) return false;
  return zoned ? !text.empty() && take_zone(text) && text.empty() : text.empty();
}

}  // namespace

ScalarType resolve_scalar(std::string_view text) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return ScalarType::null;
  if (is_one_of(text, {"true", "True", "TRUE", "false", "False", "FALSE"}))
    return ScalarType::boolean;
  const char first = text[0];
  if (first == '.') return parse_float(text) ? ScalarType::floating : ScalarType::string;
  if (!is_digit(first) && first != '+' && first != '-') return ScalarType::string;
  if (is_timestamp(text)) return ScalarType::timestamp;
  const std::string plain = without_underscores(text);
  if (is_integer(plain)) return ScalarType::integer;
  return parse_float(plain) ? ScalarType::floating : ScalarType::string;
}

std::optional<long long> integer_value(std::string_view text) {
  const std::string plain = without_underscores(text);
  const IntegerParts parts = split_integer(plain);
  const auto value = magnitude(parts);
  if (!value) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<long long>::max());
  if (*value <= kMost) {
    const auto positive = static_cast<long long>(*value);
    return parts.negative ? -positive : positive;
  }
  if (parts.negative && *value == kMost + 1) return std::numeric_limits<long long>::min();
  return std::nullopt;
}

std::optional<double> number_value(std::string_view text) {
  const std::string plain = without_underscores(text);
  if (const auto parts = split_integer(plain); const auto value = magnitude(parts))
    return parts.negative ? -static_cast<double>(*value) : static_cast<double>(*value);
  return parse_float(plain);
}

std::string number_text(double value, int exponent_from) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  char buffer[400];
  const auto scientific =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(scientific.ptr - buffer));
  const int exponent = std::atoi(std::string(text.substr(text.find('e') + 1)).c_str());
  if (exponent < -4 || exponent >= exponent_from) return std::string(text);
  const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  return {buffer, fixed.ptr};
}

std::string scalar_text(const Node& scalar) {
  switch (scalar.type) {
    case ScalarType::null:
      return "";
    case ScalarType::boolean:
      return scalar.text[0] == 't' || scalar.text[0] == 'T' ? "true" : "false";
    case ScalarType::integer: {
      const std::string plain = without_underscores(scalar.text);
      const IntegerParts parts = split_integer(plain);
      const auto value = magnitude(parts);
      if (!value) return scalar.text;
      return (parts.negative && *value != 0 ? "-" : "") + std::to_string(*value);
    }
    case ScalarType::floating: {
      const auto value = number_value(scalar.text);
      return value ? number_text(*value, 6) : scalar.text;
    }
    case ScalarType::string:
    case ScalarType::timestamp:
      break;
  }
  return scalar.text;
}

}  // namespace manifests
