#include "runtime/image/challenge.hpp"

#include <algorithm>
#include <optional>

#include "runtime/image/json.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::size_t kMaxHeader = 16 * 1024;
constexpr std::size_t kMaxToken = 64 * 1024;

/// RFC 9110, 5.6.2
bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string lowercase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text.substr(0, kMaxHeader)) {}

  bool at_end() const { return text_.empty(); }
  void skip_blanks() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t'))
      text_.remove_prefix(1);
  }
  void skip_separators() {
    while (!text_.empty() &&
           (text_.front() == ' ' || text_.front() == '\t' || text_.front() == ','))
      text_.remove_prefix(1);
  }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::string word() {
    const auto end = std::find_if_not(text_.begin(), text_.end(), is_token_character);
    std::string found(text_.begin(), end);
    text_.remove_prefix(found.size());
    return found;
  }
  std::string value() {
    if (!take('"')) return word();
    std::string found;
    while (!text_.empty() && text_.front() != '"') {
      if (text_.front() == '\\' && text_.size() > 1) text_.remove_prefix(1);
      found += text_.front();
      text_.remove_prefix(1);
    }
    take('"');
    return found;
  }
  void skip_one() { text_.remove_prefix(1); }

 private:
  std::string_view text_;
};

}  // namespace

std::string Challenge::at(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> challenges;
  Scanner scanner(header);
  for (;;) {
    scanner.skip_separators();
    if (scanner.at_end()) return challenges;
    const std::string word = scanner.word();
    if (word.empty()) {
      scanner.skip_one();
      continue;
    }
    scanner.skip_blanks();
    // `name=value` belongs to the challenge before it; a word alone begins the next one.
    if (!scanner.take('=')) {
      challenges.push_back({lowercase(word), {}});
      continue;
    }
    scanner.skip_blanks();
    std::string value = scanner.value();
    if (!challenges.empty()) challenges.back().parameters[lowercase(word)] = std::move(value);
  }
}

Token parse_token(std::string_view json) try {
  const Json document = parse_object(json, "it");
  Token token;
  token.value = string_at(document, "token");
  if (token.value.empty()) token.value = string_at(document, "access_token");
  if (token.value.empty()) throw os::Error("there is no token in it");
  const bool printable = std::all_of(token.value.begin(), token.value.end(),
                                     [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable || token.value.size() > kMaxToken) throw os::Error("the token is malformed");
  if (const std::int64_t seconds = integer_at(document, "expires_in"); seconds > 0)
    token.lifetime = std::chrono::seconds(std::clamp<std::int64_t>(seconds, 60, 86'400));
  return token;
} catch (const os::Error& error) {
  throw error.in("read a token server's answer");
}

}  // namespace image
