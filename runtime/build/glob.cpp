#include "runtime/build/glob.hpp"

#include <algorithm>

namespace build {

namespace {

/// The bytes of the character that begins at `text[0]`.
std::size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  return std::min(length, text.size());
}

/// One unit of a pattern, compiled.
struct Token {
  enum class Kind { literal, any_one, any_run, any_depth, any_directories, one_of };
  Kind kind = Kind::literal;
  std::string text;  ///< literal: the character; one_of: pairs of characters, see `ranges`
  std::vector<std::pair<std::string, std::string>> ranges;
  bool negated = false;
};

std::string take_character(std::string_view& rest) {
  if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
  const std::size_t length = character_length(rest);
  std::string character(rest.substr(0, length));
  rest.remove_prefix(length);
  return character;
}

/// Reads a class after its "["; false when it has no end.
bool take_class(std::string_view& rest, Token& token) {
  token.kind = Token::Kind::one_of;
  token.negated = rest.starts_with('^');
  if (token.negated) rest.remove_prefix(1);
  for (bool first = true; !rest.empty(); first = false) {
    if (rest.front() == ']' && !first) {
      rest.remove_prefix(1);
      return true;
    }
    const std::string low = take_character(rest);
    std::string high = low;
    if (rest.size() > 1 && rest.front() == '-' && rest[1] != ']') {
      rest.remove_prefix(1);
      high = take_character(rest);
    }
    token.ranges.emplace_back(low, high);
  }
  return false;
}

/// Nothing when the pattern is malformed.
std::optional<std::vector<Token>> compile(std::string_view rest, bool double_star, bool classes) {
  std::vector<Token> tokens;
  while (!rest.empty()) {
    Token token;
    if (double_star && rest.starts_with("**")) {
      rest.remove_prefix(2);
      // "**/" may stand for nothing at all.
      const bool slash = rest.starts_with('/');
      if (slash) rest.remove_prefix(1);
      token.kind = slash ? Token::Kind::any_directories : Token::Kind::any_depth;
    } else if (rest.front() == '*') {
      rest.remove_prefix(1);
      token.kind = Token::Kind::any_run;
    } else if (rest.front() == '?') {
      rest.remove_prefix(1);
      token.kind = Token::Kind::any_one;
    } else if (classes && rest.front() == '[') {
      rest.remove_prefix(1);
      if (!take_class(rest, token)) return std::nullopt;
    } else {
      if (rest == "\\") return std::nullopt;
      token.text = take_character(rest);
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

/// Whether one character is matched by a token that stands for one.
bool matches_one(const Token& token, std::string_view character, bool slash_is_border) {
  switch (token.kind) {
    case Token::Kind::literal:
      return token.text == character;
    case Token::Kind::any_one:
      return !slash_is_border || character != "/";
    case Token::Kind::one_of: {
      if (slash_is_border && character == "/") return false;
      bool inside = false;
      for (const auto& [low, high] : token.ranges) inside |= low <= character && character <= high;
      return inside != token.negated;
    }
    default:
      return false;
  }
}

/// Follows every way through the tokens at once: `states[i]` says that the first i tokens match
/// what was read.
class Matcher {
 public:
  Matcher(const std::vector<Token>& tokens, bool slash_is_border)
      : tokens_(tokens), border_(slash_is_border), states_(tokens.size() + 1) {
    states_[0] = true;
    skip_empty(true);
  }

  void feed(std::string_view character) {
    std::vector<bool> next(states_.size());
    const bool slash = character == "/";
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (!states_[i]) continue;
      switch (tokens_[i].kind) {
        case Token::Kind::any_run:
          if (!border_ || !slash) next[i] = true;
          break;
        case Token::Kind::any_depth:
          next[i] = true;
          break;
        case Token::Kind::any_directories:
          next[i] = true;
          // Only after a "/" may what follows begin.
          if (slash) next[i + 1] = true;
          break;
        default:
          if (matches_one(tokens_[i], character, border_)) next[i + 1] = true;
      }
    }
    states_ = std::move(next);
    after_slash_ = slash;
    skip_empty(false);
  }

  bool complete() const { return states_.back(); }
  /// Whether nothing that may follow can match any more.
  bool dead() const { return std::find(states_.begin(), states_.end(), true) == states_.end(); }

 private:
  /// Tokens that may stand for nothing; "**/" only where nothing of it was read.
  void skip_empty(bool start) {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (!states_[i]) continue;
      const Token::Kind kind = tokens_[i].kind;
      if (kind == Token::Kind::any_run || kind == Token::Kind::any_depth) states_[i + 1] = true;
      if (kind == Token::Kind::any_directories && (start || entered(i))) states_[i + 1] = true;
    }
  }
  /// Whether the way came to token `i` just now, by what stands before it.
  bool entered(std::size_t i) const {
    return i > 0 && tokens_[i - 1].kind == Token::Kind::literal && tokens_[i - 1].text == "/" &&
           after_slash_;
  }

  const std::vector<Token>& tokens_;
  bool border_;
  std::vector<bool> states_;
  bool after_slash_ = false;
};

}  // namespace

bool match_path(std::string_view pattern, std::string_view path, bool double_star) {
  const auto tokens = compile(pattern, double_star, true);
  if (!tokens) return false;
  Matcher matcher(*tokens, true);
  while (!path.empty()) {
    const std::size_t length = character_length(path);
    matcher.feed(path.substr(0, length));
    path.remove_prefix(length);
  }
  return matcher.complete();
}

bool has_wildcard(std::string_view pattern) {
  return pattern.find_first_of("*?[\\") != std::string_view::npos;
}

std::string pattern_mistake(std::string_view pattern) {
  return compile(pattern, true, true) ? "" : "a class or an escape in it has no end";
}

std::string unescape_pattern(std::string_view pattern) {
  std::string result;
  while (!pattern.empty()) result += take_character(pattern);
  return result;
}

std::vector<std::size_t> matching_prefixes(std::string_view pattern, std::string_view text) {
  std::vector<std::size_t> lengths;
  const auto tokens = compile(pattern, false, false);
  if (!tokens) return lengths;
  Matcher matcher(*tokens, false);
  if (matcher.complete()) lengths.push_back(0);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text.substr(i));
    matcher.feed(text.substr(i, length));
    if (matcher.dead()) break;
    i += length;
    if (matcher.complete()) lengths.push_back(i);
  }
  return lengths;
}

}  // namespace build
