#include "manifests/dotenv.hpp"

#include <algorithm>

#include "manifests/interpolate.hpp"
#include "manifests/utf8.hpp"

namespace manifests {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r'; }

bool is_space(char c) { return is_blank(c) || c == '\n'; }

bool is_key_character(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const bool digit = c >= '0' && c <= '9';
  const bool beyond_ascii = (static_cast<unsigned char>(c) & 0x80) != 0;
  return letter || digit || beyond_ascii || std::string_view("_.-[]").find(c) != std::string::npos;
}

std::string_view without_trailing_space(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// A code point below 256, in UTF-8.
std::string encode(unsigned value) {
  if (value < 0x80) return {static_cast<char>(value)};
  return {static_cast<char>(0xC0 | (value >> 6)), static_cast<char>(0x80 | (value & 0x3F))};
}

/// Reads `0` and up to three digits after a backslash; more or fewer than three octal digits are no
/// escape, the zero is lost all the same.
std::string octal_escape(std::string_view text, std::size_t& at) {
  std::string_view digits = text.substr(at + 1, 3);
  digits = digits.substr(
      0, static_cast<std::size_t>(std::find_if_not(digits.begin(), digits.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; }) -
                                  digits.begin()));
  at += 1 + digits.size();
  unsigned value = 0;
  for (const char c : digits) value = value * 8 + static_cast<unsigned>(c - '0');
  const bool octal = digits.find_first_of("89") == std::string_view::npos;
  if (digits.size() == 3 && octal && value < 256) return encode(value);
  return "\\" + std::string(digits);
}

/// The escapes of a double-quoted value. `\$` becomes `$$`, which interpolation takes for a plain
/// dollar sign; unknown escapes stay as they are.
std::string unescape(std::string_view text) {
  constexpr std::string_view kLetters = "abfnrtv\"\\";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\"\\";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    const std::size_t letter = kLetters.find(next);
    if (letter != std::string_view::npos) {
      out += kMeanings[letter];
    } else if (next == '$') {
      out += "$$";
    } else if (next == '0') {
      out += octal_escape(text, i);
      --i;
    } else {
      out += '\\';
      out += next;
    }
  }
  return out;
}

class Parser {
 public:
  Parser(const std::shared_ptr<const Source>& source, const Lookup& lookup, Variables& variables,
         Diagnostics& diagnostics, VariablePlaces* places)
      : source_(source),
        text_(source->text),
        lookup_(lookup),
        variables_(variables),
        diagnostics_(diagnostics),
        places_(places) {
    if (text_.starts_with(kByteOrderMark)) skip(kByteOrderMark.size());
  }

  void parse() {
    while (skip_to_statement() && statement()) {
    }
  }

  void parse_raw() {
    while (!done()) {
      while (!done() && is_blank(peek())) skip(1);
      const Position at = position();
      std::string_view line = take_line();
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (line.empty() || line[0] == '#') continue;
      const std::size_t equals = line.find('=');
      const std::string key(line.substr(0, equals));
      if (key.empty() || std::any_of(key.begin(), key.end(), is_space)) {
        fail(at, key.empty() ? "no variable name before \"=\""
                             : "variable '" + key + "' contains whitespaces");
        return;
      }
      if (equals == std::string_view::npos)
        inherit(key, at);
      else
        set(key, std::string(line.substr(equals + 1)), at);
    }
  }

 private:
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }

  void skip(std::size_t count) {
    for (; count > 0; --count, ++at_) {
      if (text_[at_] != '\n') continue;
      ++line_;
      line_begin_ = at_ + 1;
    }
  }

  Position position() const {
    return {.source = source_, .line = line_, .column = static_cast<int>(at_ - line_begin_) + 1};
  }

  void fail(const Position& at, std::string message) {
    diagnostics_.error(at, "failed to read " + source_->name + ": line " + std::to_string(at.line) +
                               ": " + std::move(message));
  }

  /// The rest of the line; the place is then the next line.
  std::string_view take_line() {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::string_view line = text_.substr(at_, end - at_);
    skip(std::min(end + 1, text_.size()) - at_);
    return line;
  }

  bool skip_to_statement() {
    while (!done()) {
      if (peek() == '#')
        take_line();
      else if (is_space(peek()))
        skip(1);
      else
        return true;
    }
    return false;
  }

  void set(const std::string& key, std::string value, const Position& at) {
    variables_[key] = std::move(value);
    if (places_ != nullptr) (*places_)[key] = at;
  }

  void inherit(const std::string& key, const Position& at) {
    if (auto value = lookup_(key)) set(key, *std::move(value), at);
  }

  bool statement() {
    constexpr std::string_view kExport = "export";
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with(kExport) && rest.size() > kExport.size() &&
        is_blank(rest[kExport.size()])) {
      skip(kExport.size());
      while (!done() && is_blank(peek())) skip(1);
    }
    const Position begin = position();
    const std::size_t key_begin = at_;
    while (!done() && (is_blank(peek()) || is_key_character(peek()))) skip(1);
    if (!done() && std::string_view("=:\n").find(peek()) == std::string_view::npos) {
      const std::string_view line = text_.substr(key_begin, text_.find('\n', at_) - key_begin);
      fail(position(), std::string("unexpected character \"") + peek() + "\" in variable name \"" +
                           std::string(line) + "\"");
      return false;
    }
    const std::string key(without_trailing_space(text_.substr(key_begin, at_ - key_begin)));
    const bool bare = done() || peek() == '\n';
    if (!done()) skip(1);
    if (std::any_of(key.begin(), key.end(), is_space)) {
      fail(begin, "key cannot contain a space");
      return false;
    }
    if (bare) {
      inherit(key, begin);
      return true;
    }
    return value_of(key);
  }

  bool value_of(const std::string& key) {
    while (!done() && is_blank(peek())) skip(1);
    const Position begin = position();
    if (!done() && (peek() == '"' || peek() == '\'')) return quoted_value_of(key);
    std::string_view value = take_line();
    value = without_trailing_space(value.substr(0, value.find(" #")));
    return assign(key, std::string(value), begin);
  }

  bool quoted_value_of(const std::string& key) {
    const Position begin = position();
    const std::size_t first = at_;
    const char quote = peek();
    std::string value;
    for (skip(1); !done() && peek() != quote; skip(1)) {
      if (peek() == '\\' && at_ + 1 < text_.size()) {
        if (text_[at_ + 1] != quote) value += '\\';
        skip(1);
      }
      value += peek();
    }
    if (done()) {
      fail(begin, "unterminated quoted value " +
                      std::string(text_.substr(first, text_.find('\n', first) - first)));
      return false;
    }
    skip(1);
    if (quote == '"') return assign(key, unescape(value), begin);
    set(key, std::move(value), begin);
    return true;
  }

  /// Gives `key` the value with its variables replaced.
  bool assign(const std::string& key, const std::string& value, const Position& at) {
    Expansion expansion = expand(value, [this](const std::string& name) {
      if (auto found = lookup_(name)) return found;
      const auto earlier = variables_.find(name);
      return earlier == variables_.end() ? std::nullopt : std::optional(earlier->second);
    });
    for (const std::string& name : expansion.unset)
      diagnostics_.warning(at, unset_variable_message(name));
    if (expansion.failure != Expansion::Failure::none) {
      fail(at, expansion.message + (expansion.failure == Expansion::Failure::syntax
                                        ? " of " + key + ": " + expansion.culprit
                                        : std::string()));
      return false;
    }
    set(key, std::move(expansion.text), at);
    return true;
  }

  std::shared_ptr<const Source> source_;
  std::string_view text_;
  const Lookup& lookup_;
  Variables& variables_;
  Diagnostics& diagnostics_;
  VariablePlaces* places_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  int line_ = 1;
};

/// What no container could be given, nor any message show.
bool require_text(const std::shared_ptr<const Source>& source, Diagnostics& diagnostics) {
  const std::string_view text = source->text;
  Position at{.source = source, .line = 1, .column = 1};
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0 || text[i] == '\0') {
      diagnostics.error(at, "failed to read " + source->name + ": line " + std::to_string(at.line) +
                                (length == 0 ? ": invalid UTF-8" : ": a NUL byte"));
      return false;
    }
    ++at.column;
    if (text[i] == '\n') {
      ++at.line;
      at.column = 1;
    }
    i += length;
  }
  return true;
}

}  // namespace

void parse_env_file(const std::shared_ptr<const Source>& source, EnvFormat format,
                    const Lookup& lookup, Variables& variables, Diagnostics& diagnostics,
                    VariablePlaces* places) {
  if (!require_text(source, diagnostics)) return;
  Parser parser(source, lookup, variables, diagnostics, places);
  if (format == EnvFormat::raw)
    parser.parse_raw();
  else
    parser.parse();
}

}  // namespace manifests
