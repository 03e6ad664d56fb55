#include "runtime/build/expand.hpp"

#include <utility>

#include "runtime/build/glob.hpp"

namespace build {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// How deep ${a:-${b:-…}} may go, so that a hostile file cannot use up the stack.
constexpr int kMaxDepth = 64;
/// The most that one word may come to: ${a//?/$b} of itself grows without end.
constexpr std::size_t kMaxResult = 4 * 1024 * 1024;

/// The words that come out, split where blanks stand outside of quotes.
class Words {
 public:
  void split(std::string_view text) {
    for (const char c : text) {
      if (is_blank(c)) {
        end();
      } else {
        keep(std::string_view(&c, 1));
      }
    }
  }
  void keep(std::string_view text) {
    word_ += text;
    begun_ = true;
  }
  void end() {
    if (begun_) words_.push_back(std::move(word_));
    word_.clear();
    begun_ = false;
  }
  std::vector<std::string> take() {
    end();
    return std::move(words_);
  }

 private:
  std::vector<std::string> words_;
  std::string word_;
  bool begun_ = false;
};

/// Whether, and where, a shell pattern's longest or shortest match at an end of `value` is.
std::string cut_match(const std::string& value, const std::string& pattern, bool front,
                      bool longest) {
  if (front) {
    const auto lengths = matching_prefixes(pattern, value);
    if (lengths.empty()) return value;
    return value.substr(longest ? lengths.back() : lengths.front());
  }
  for (std::size_t i = 0; i <= value.size(); ++i) {
    const std::size_t begin = longest ? i : value.size() - i;
    if (begin < value.size() && (static_cast<unsigned char>(value[begin]) & 0xC0) == 0x80)
      continue;  // inside of a character
    const auto lengths = matching_prefixes(pattern, std::string_view(value).substr(begin));
    if (!lengths.empty() && lengths.back() == value.size() - begin) return value.substr(0, begin);
  }
  return value;
}

std::string replace_matches(const std::string& value, const std::string& pattern,
                            const std::string& replacement, bool all) {
  std::string result;
  std::size_t i = 0;
  if (pattern.empty()) {  // it is found in front of every character, and at the end
    if (!all) return replacement + value;
    for (const char c : value) {
      if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) result += replacement;
      result += c;
      if (result.size() > kMaxResult) throw ExpandError(0, "the result is too long");
    }
    return result + replacement;
  }
  while (i < value.size()) {
    const auto lengths = matching_prefixes(pattern, std::string_view(value).substr(i));
    if (lengths.empty() || lengths.back() == 0) {
      result += value[i++];
      continue;
    }
    result += replacement;
    if (result.size() > kMaxResult) throw ExpandError(0, "the result is too long");
    i += lengths.back();
    if (!all) break;
  }
  return result + value.substr(i);
}

class Expander {
 public:
  Expander(std::string_view text, const Lookup& lookup, ExpandOptions options)
      : text_(text), lookup_(lookup), options_(options) {}

  std::string word() { return until('\0', false); }
  std::vector<std::string> words() {
    words_ = &collected_;
    until('\0', false);
    return collected_.take();
  }

 private:
  bool at_end() const { return next_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[next_]; }

  void add(std::string& result, std::string_view piece, bool split) {
    result += piece;
    if (result.size() > kMaxResult) throw ExpandError(next_, "the result is too long");
    if (words_ == nullptr) return;
    if (split)
      words_->split(piece);
    else
      words_->keep(piece);
  }

  /// Up to `stop` or the end. `raw`: escapes stay, for they are a pattern's.
  std::string until(char stop, bool raw) {
    if (++depth_ > kMaxDepth) throw ExpandError(next_, "substitutions are nested too deeply");
    std::string result;
    const std::size_t begin = next_;
    for (;;) {
      if (at_end()) {
        if (stop != '\0')
          throw ExpandError(begin, std::string("the closing '") + stop + "' is missing");
        break;
      }
      const char c = text_[next_];
      if (stop != '\0' && c == stop) {
        ++next_;
        break;
      }
      if (c == '\'' && !options_.keep_quotes) {
        add(result, single_quoted(), false);
      } else if (c == '"' && !options_.keep_quotes) {
        add(result, double_quoted(), false);
      } else if (c == '$') {
        add(result, dollar(), true);
      } else if (c == options_.escape || (raw && c == '\\')) {
        ++next_;
        if (raw) add(result, std::string_view(&c, 1), false);
        if (at_end()) continue;
        add(result, text_.substr(next_++, 1), false);
      } else {
        add(result, text_.substr(next_++, 1), true);
      }
    }
    --depth_;
    return result;
  }

  std::string single_quoted() {
    const std::size_t begin = next_++;
    const auto end = text_.find('\'', next_);
    if (end == std::string_view::npos) throw ExpandError(begin, "the closing ' is missing");
    std::string result(text_.substr(next_, end - next_));
    next_ = end + 1;
    return result;
  }

  std::string double_quoted() {
    // Nothing inside of quotes is split.
    Words* const outer = std::exchange(words_, nullptr);
    const std::size_t begin = next_++;
    std::string result;
    for (;;) {
      if (at_end()) throw ExpandError(begin, "the closing \" is missing");
      const char c = text_[next_];
      if (c == '"') {
        ++next_;
        break;
      }
      if (c == '$') {
        add(result, dollar(), false);
      } else if (c == options_.escape && next_ + 1 < text_.size()) {
        const char escaped = text_[next_ + 1];
        next_ += 2;
        if (escaped != '"' && escaped != '$' && escaped != options_.escape) result += c;
        result += escaped;
      } else {
        result += c;
        ++next_;
      }
    }
    words_ = outer;
    return result;
  }

  std::string name() {
    const std::size_t begin = next_;
    if (is_digit(peek())) {
      while (is_digit(peek())) ++next_;
    } else if (is_name(peek())) {
      while (is_name(peek())) ++next_;
    } else if (!at_end() && std::string_view("@*#?-$!").find(peek()) != std::string_view::npos) {
      ++next_;
    }
    return std::string(text_.substr(begin, next_ - begin));
  }

  std::string dollar() {
    // A value is split as a whole by the caller.
    Words* const outer = std::exchange(words_, nullptr);
    const std::size_t begin = next_++;
    std::string result;
    if (peek() == '{') {
      ++next_;
      result = braces(begin);
    } else {
      const std::string variable = name();
      result = variable.empty() ? "$" : lookup_(variable).value_or("");
    }
    words_ = outer;
    return result;
  }

  [[noreturn]] static void bad(std::size_t begin) { throw ExpandError(begin, "bad substitution"); }

  std::string braces(std::size_t begin) {
    if (peek() == '}' || peek() == ':' || peek() == '{' || at_end()) bad(begin);
    const std::string variable = name();
    if (variable.empty() || at_end()) bad(begin);
    const auto value = lookup_(variable);
    char form = text_[next_++];
    if (form == '}') return value.value_or("");
    const bool empty_counts = form == ':';
    if (empty_counts) {
      if (at_end()) bad(begin);
      form = text_[next_++];
      if (form != '-' && form != '+' && form != '?')
        throw ExpandError(begin,
                          std::string("unsupported modifier (:") + form + ") in substitution");
    }
    const bool missing = !value || (empty_counts && value->empty());
    switch (form) {
      case '-': {
        const std::string word = until('}', false);
        return missing ? word : *value;
      }
      case '+': {
        const std::string word = until('}', false);
        return missing ? "" : word;
      }
      case '?': {
        const std::string word = until('}', false);
        if (!missing) return *value;
        throw ExpandError(begin, variable + ": " +
                                     (!word.empty()  ? word
                                      : empty_counts ? "is not allowed to be empty"
                                                     : "is not allowed to be unset"));
      }
      case '#':
      case '%': {
        const bool longest = peek() == form;
        if (longest) ++next_;
        return cut_match(value.value_or(""), until('}', true), form == '#', longest);
      }
      case '/': {
        const bool all = peek() == '/';
        if (all) ++next_;
        const std::string pattern = until('/', true);
        const std::string replacement = until('}', false);
        return replace_matches(value.value_or(""), pattern, replacement, all);
      }
      default:
        throw ExpandError(begin,
                          std::string("unsupported modifier (") + form + ") in substitution");
    }
  }

  std::string_view text_;
  const Lookup& lookup_;
  ExpandOptions options_;
  std::size_t next_ = 0;
  int depth_ = 0;
  Words collected_;
  Words* words_ = nullptr;
};

}  // namespace

std::string expand_word(std::string_view text, const Lookup& lookup, ExpandOptions options) {
  return Expander(text, lookup, options).word();
}

std::vector<std::string> expand_words(std::string_view text, const Lookup& lookup,
                                      ExpandOptions options) {
  return Expander(text, lookup, options).words();
}

std::vector<RawWord> split_quoted(std::string_view text, char escape) {
  std::vector<RawWord> words;
  RawWord word;
  char quote = '\0';
  const auto end_word = [&] {
    if (!word.text.empty()) words.push_back(std::move(word));
    word = {};
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\0' && is_blank(c)) {
      end_word();
      continue;
    }
    if (word.text.empty()) word.offset = i;
    word.text += c;
    if (c == escape && quote != '\'' && i + 1 < text.size())
      word.text += text[++i];
    else if (quote != '\0' ? c == quote : c == '"' || c == '\'')
      quote = quote != '\0' ? '\0' : c;
  }
  end_word();
  return words;
}

std::vector<RawWord> split_blanks(std::string_view text) {
  std::vector<RawWord> words;
  for (std::size_t i = 0; i < text.size();) {
    if (is_blank(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && !is_blank(text[end])) ++end;
    words.push_back({std::string(text.substr(i, end - i)), i});
    i = end;
  }
  return words;
}

}  // namespace build
