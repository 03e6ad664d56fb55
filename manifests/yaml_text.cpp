#include "manifests/yaml_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include "manifests/scalar.hpp"

namespace manifests {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Bytes of UTF-8 sequences count as letters, which is what nearly all of them are.
bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}

bool contains(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

/// The words that YAML 1.1 reads as booleans.
bool is_old_boolean(std::string_view text) {
  static constexpr std::array<std::string_view, 16> kWords = {
      "y", "Y", "yes", "Yes", "YES", "on",  "On",  "ON",
      "n", "N", "no",  "No",  "NO",  "off", "Off", "OFF"};
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

/// What YAML 1.1 reads as a number to base 60: `22:22`, `-1:30.5`.
bool is_base60(std::string_view text) {
  if (!text.empty() && contains("+-", text.front())) text.remove_prefix(1);
  const auto point = text.find('.');
  const std::string_view fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  std::string_view whole = text.substr(0, point);
  if (whole.empty() || !is_digit(whole.front())) return false;
  if (fraction.find_first_not_of("0123456789_") != std::string_view::npos) return false;
  int groups = 0;
  while (true) {
    const auto colon = whole.find(':');
    const std::string_view group = whole.substr(0, colon);
    const bool all_digits = group.find_first_not_of(groups == 0 ? "0123456789_" : "0123456789") ==
                            std::string_view::npos;
    const bool below_sixty =
        groups == 0 || group.size() == 1 || (group.size() == 2 && group.front() < '6');
    if (group.empty() || !all_digits || !below_sixty) return false;
    ++groups;
    if (colon == std::string_view::npos) break;
    whole.remove_prefix(colon + 1);
  }
  return groups > 1;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

/// Line breaks of YAML 1.1 beyond the newline, and how a double-quoted string writes them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kOtherBreaks = {
    {{"\u0085", "\\N"}, {"\u2028", "\\L"}, {"\u2029", "\\P"}}};

bool has_special(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control) ||
         std::any_of(kOtherBreaks.begin(), kOtherBreaks.end(), [&](const auto& other) {
           return text.find(other.first) != std::string_view::npos;
         });
}

/// An indicator that would end or change a plain scalar in block context.
bool has_indicators(std::string_view text) {
  if (text.starts_with("---") || text.starts_with("...")) return true;
  if (contains("#,[]{}&*!|>'\"%@`", text.front())) return true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool before_blank = i + 1 == text.size() || contains(" \t\n", text[i + 1]);
    if (i == 0 && contains("?-", text[i]) && before_blank) return true;
    if (text[i] == ':' && before_blank) return true;
    if (i > 0 && text[i] == '#' && contains(" \t\n", text[i - 1])) return true;
  }
  return false;
}

/// How a string can be written and still be read back as the same string.
enum class Quote { plain, single, twice, literal };

Quote quote_for(std::string_view text, bool is_key) {
  const bool special = has_special(text);
  if (contains(text, '\n') && !is_key && !special) {
    // A literal block cannot keep blanks at the end of its text or before a line break.
    const bool keeps = text.back() != ' ' && text.find(" \n") == std::string_view::npos;
    return keeps ? Quote::literal : Quote::twice;
  }
  const bool string_as_it_stands = !text.empty() && resolve_scalar(text) == ScalarType::string &&
                                   !is_old_boolean(text) && !is_base60(text);
  if (!string_as_it_stands || special || contains(text, '\t') || contains(text, '\n')) {
    return Quote::twice;
  }
  if (text.front() == ' ' || text.back() == ' ' || has_indicators(text)) return Quote::single;
  return Quote::plain;
}

std::string double_quoted(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  static constexpr std::string_view kNamed = "\a\b\t\n\v\f\r\x1b\"\\";
  static constexpr std::string_view kNames = "abtnvfre\"\\";
  std::string result = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto other = std::find_if(
        kOtherBreaks.begin(), kOtherBreaks.end(),
        [&](const auto& candidate) { return text.substr(i).starts_with(candidate.first); });
    if (other != kOtherBreaks.end()) {
      result += other->second;
      i += other->first.size() - 1;
    } else if (const auto named = kNamed.find(text[i]); named != std::string_view::npos) {
      result += {'\\', kNames[named]};
    } else if (is_control(text[i])) {
      result += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 0xFU]};
    } else {
      result += text[i];
    }
  }
  return result + "\"";
}

std::string single_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    result += c;
    if (c == '\'') result += c;
  }
  return result + "'";
}

/// `|` with the hints for leading blanks and trailing line breaks, then the lines.
std::string literal(std::string_view text, std::size_t indent) {
  std::string result = "|";
  if (contains(" \n", text.front())) result += "2";
  if (text.back() != '\n') {
    result += "-";
  } else if (text.size() == 1 || text[text.size() - 2] == '\n') {
    result += "+";
  }
  std::string_view rest = text;
  if (!rest.empty() && rest.back() == '\n') rest.remove_suffix(1);
  for (std::size_t from = 0; from <= rest.size();) {
    const auto end = std::min(rest.find('\n', from), rest.size());
    result += '\n';
    if (end > from) result += std::string(indent, ' ') + std::string(rest.substr(from, end - from));
    from = end + 1;
  }
  return result;
}

class Emitter {
 public:
  explicit Emitter(const Annotate& annotate) : annotate_(annotate) {}

  std::string run(const Json& value) {
    if (value.is_object() && !value.empty()) {
      mapping(value, 0);
    } else if (value.is_array() && !value.empty()) {
      sequence(value, 0);
    } else {
      leaf(value, 2);
    }
    return std::move(out_);
  }

 private:
  static std::string string(std::string_view text, bool is_key, std::size_t indent) {
    switch (quote_for(text, is_key)) {
      case Quote::plain:
        return std::string(text);
      case Quote::single:
        return single_quoted(text);
      case Quote::literal:
        return literal(text, indent);
      case Quote::twice:
        break;
    }
    return double_quoted(text);
  }

  static std::string scalar(const Json& value, std::size_t indent) {
    if (value.is_string()) return string(value.get_ref<const std::string&>(), false, indent);
    if (value.is_number_float()) return number_text(value.get<double>(), 6);
    return value.dump();  // null, booleans, integers, and the empty list and mapping
  }

  void mapping(const Json& value, std::size_t indent) {
    bool first = true;
    for (const auto& [key, item] : value.items()) {
      if (!std::exchange(first, false) || !at_item_) out_ += std::string(indent, ' ');
      at_item_ = false;
      out_ += string(key, true, indent) + ":";
      const std::size_t outer = path_.size();
      if (annotate_) path_ += (path_.empty() ? "" : ".") + key;
      below(item, indent, indent + 2);
      path_.resize(outer);
    }
  }

  void sequence(const Json& value, std::size_t indent) {
    bool first = true;
    std::size_t index = 0;
    const std::size_t outer = path_.size();
    for (const Json& item : value) {
      if (!std::exchange(first, false) || !at_item_) out_ += std::string(indent, ' ');
      at_item_ = false;
      out_ += "-";
      path_.resize(outer);
      if (annotate_) path_ += "[" + std::to_string(index++) + "]";
      const bool nested = (item.is_object() || item.is_array()) && !item.empty();
      if (!nested) {
        out_ += " ";
        leaf(item, indent + 2);
        continue;
      }
      out_ += " ";
      at_item_ = true;  // the first line of what follows stands beside the dash
      if (item.is_object()) {
        mapping(item, indent + 2);
      } else {
        sequence(item, indent + 2);
      }
    }
    path_.resize(outer);
  }

  /// A value with nothing below it, and what is said about it at the end of its line; of a literal
  /// block, of its first.
  void leaf(const Json& value, std::size_t indent) {
    std::string text = scalar(value, indent);
    const std::string comment = annotate_ ? annotate_(path_) : std::string();
    if (!comment.empty()) text.insert(std::min(text.find('\n'), text.size()), "  # " + comment);
    out_ += text + "\n";
  }

  void below(const Json& item, std::size_t indent, std::size_t inner) {
    if (item.is_object() && !item.empty()) {
      out_ += "\n";
      mapping(item, inner);
    } else if (item.is_array() && !item.empty()) {
      out_ += "\n";
      sequence(item, inner);
    } else {
      out_ += " ";
      leaf(item, indent + 2);
    }
  }

  const Annotate& annotate_;
  std::string path_;
  std::string out_;
  bool at_item_ = false;
};

/// The number that the digits of `text` at `from` make, and where they end. Long runs saturate.
std::pair<std::uint64_t, std::size_t> digits_at(std::string_view text, std::size_t from,
                                                std::uint64_t start) {
  std::uint64_t value = start;
  std::size_t at = from;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
  }
  return {value, at};
}

/// Whether the digits before `at` hold more than zeros, so that a zero at `at` counts.
bool after_nonzero_digit(std::string_view text, std::size_t at) {
  while (at > 0 && is_digit(text[at - 1])) {
    if (text[--at] != '0') return true;
  }
  return false;
}

}  // namespace

std::string yaml_text(const Json& value, const Annotate& annotate) {
  return Emitter(annotate).run(value);
}

bool natural_less(std::string_view a, std::string_view b) {
  bool digits = false;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (a[i] == b[i]) {
      digits = is_digit(a[i]);
      continue;
    }
    const bool a_letter = is_letter(a[i]);
    const bool b_letter = is_letter(b[i]);
    if (a_letter && b_letter) {
      return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i]);
    }
    if (a_letter || b_letter) return digits ? a_letter : b_letter;
    const bool zero = (a[i] == '0' || b[i] == '0') && after_nonzero_digit(a, i);
    const auto [a_number, a_end] = digits_at(a, i, zero ? 1 : 0);
    const auto [b_number, b_end] = digits_at(b, i, zero ? 1 : 0);
    if (a_number != b_number) return a_number < b_number;
    if (a_end != b_end) return a_end < b_end;
    return a[i] < b[i];
  }
  return a.size() < b.size();
}

}  // namespace manifests
