#include "runtime/image/words.hpp"

#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr int kMaxNesting = 32;

bool is_blank(char c) { return kBlanks.find(c) != std::string_view::npos; }

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Reads a text once, from front to back, and produces what it stands for.
class Expander {
 public:
  Expander(std::string_view text, const Variables& variables)
      : rest_(text), variables_(variables) {}

  std::string run() { return until('\0'); }

 private:
  /// Expands up to `end` (consumed) or the end of the text.
  std::string until(char end) {
    std::string result;
    while (!rest_.empty()) {
      const char c = take();
      if (end != '\0' && c == end) return result;
      if (c == '\\') {
        if (!rest_.empty()) result += take();
      } else if (c == '\'') {
        result += literal();
      } else if (c == '"') {
        result += quoted();
      } else if (c == '$') {
        result += variable();
      } else {
        result += c;
      }
    }
    if (end != '\0') throw os::Error("'" + std::string(1, end) + "' is missing");
    return result;
  }

  std::string literal() {
    const auto end = rest_.find('\'');
    if (end == std::string_view::npos) throw os::Error("a closing ' is missing");
    std::string result(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return result;
  }

  std::string quoted() {
    std::string result;
    while (!rest_.empty()) {
      const char c = take();
      if (c == '"') return result;
      const bool escape =
          c == '\\' && !rest_.empty() && std::string_view("\"$\\").find(rest_[0]) != rest_.npos;
      if (escape) {
        result += take();
      } else if (c == '$') {
        result += variable();
      } else {
        result += c;
      }
    }
    throw os::Error("a closing \" is missing");
  }

  std::string variable() {
    if (rest_.empty()) return "$";
    if (rest_[0] == '{') {
      take();
      return braced();
    }
    const std::string name = take_name();
    return name.empty() ? "$" : variables_(name).value_or("");
  }

  std::string braced() {
    const std::string name = take_name();
    if (name.empty() || rest_.empty()) throw os::Error("bad substitution in '${'");
    char form = take();
    auto value = variables_(name);
    if (form == '}') return value.value_or("");
    if (form == ':') {
      if (value && value->empty()) value.reset();
      form = rest_.empty() ? '\0' : take();
    }
    if (form != '-' && form != '+')
      throw os::Error("unsupported substitution of '" + name + "': only :- - :+ + are known");
    if (++nesting_ > kMaxNesting) throw os::Error("substitutions are nested too deeply");
    const std::string word = until('}');
    --nesting_;
    if (form == '-') return value.value_or(word);
    return value ? word : "";
  }

  std::string take_name() {
    std::size_t length = 0;
    const bool number = !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9';
    while (length < rest_.size() && is_name_char(rest_[length]) &&
           (!number || (rest_[length] >= '0' && rest_[length] <= '9')))
      ++length;
    std::string name(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return name;
  }

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  std::string_view rest_;
  const Variables& variables_;
  int nesting_ = 0;
};

}  // namespace

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string> split_fields(std::string_view text) {
  std::vector<std::string> fields;
  for (text = trim(text); !text.empty(); text = trim(text)) {
    const auto end = std::min(text.find_first_of(kBlanks), text.size());
    fields.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return fields;
}

std::vector<std::string> split_quoted(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\0' && is_blank(c)) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
      continue;
    }
    word += c;
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = '\0';
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

std::string expand(std::string_view text, const Variables& variables) {
  return Expander(text, variables).run();
}

}  // namespace image
