#include "manifests/syntax.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace manifests {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::size_t count_indent(std::string_view line) {
  const std::size_t end = line.find_first_not_of(' ');
  return end == std::string_view::npos ? line.size() : end;
}

std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

/// A quote or bracket that is still open, and where it was opened.
struct Open {
  char what = 0;
  int line = 0;
  std::size_t column = 0;
};

/// What of a line matters: where its content begins, its key if it has one, and what follows.
struct Line {
  int number = 0;
  std::size_t indent = 0;
  bool is_item = false;
  bool has_key = false;
  std::string_view content;  ///< after dashes
  std::string_view value;    ///< after the key, or all of the content
};

class Scanner {
 public:
  Scanner(const Position& end, std::shared_ptr<const Source> source)
      : end_(end), source_(std::move(source)) {}

  std::optional<SyntaxMistake> run() {
    std::string_view rest = source_->text;
    for (int number = 1; !rest.empty() && number <= end_.line + 1; ++number) {
      const std::size_t end = rest.find('\n');
      std::string_view text = rest.substr(0, end);
      if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
      if (auto mistake = look_at(text, number)) return mistake;
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
    if (open_.empty() || open_.front().line > end_.line) return std::nullopt;
    const Open& open = open_.front();
    const bool quote = open.what == '"' || open.what == '\'';
    return SyntaxMistake{.at = place(open.line, open.column),
                         .message = std::string("the ") + (quote ? "quote " : "bracket ") +
                                    open.what + " is never closed",
                         .hint = std::string("close it with ") + closing(open.what),
                         .suggestion = std::string(1, closing(open.what))};
  }

 private:
  static char closing(char open) { return open == '[' ? ']' : open == '{' ? '}' : open; }

  Position place(int line, std::size_t column) const {
    return {.source = source_, .line = line, .column = static_cast<int>(column) + 1};
  }

  std::optional<SyntaxMistake> look_at(std::string_view text, int number);
  std::optional<SyntaxMistake> check_indent(const Line& line);
  std::optional<SyntaxMistake> check_colon(const Line& line);
  Line read(std::string_view text, int number);
  void follow(const Line& line);
  std::size_t scan(std::string_view text, int number, std::size_t column);

  const Position& end_;
  std::shared_ptr<const Source> source_;
  std::vector<std::size_t> levels_;  ///< indentations of the mappings and lists that are open
  std::vector<Open> open_;
  std::optional<std::size_t> block_;  ///< a block scalar goes on while lines are indented further
  bool opens_ = true;                 ///< the line before may have lines below it
  std::size_t key_indent_ = 0;        ///< of the last line with a key
};

/// Reads quotes and brackets from `column` on; the column of a comment, or the end.
std::size_t Scanner::scan(std::string_view text, int number, std::size_t column) {
  for (std::size_t i = column; i < text.size(); ++i) {
    const char c = text[i];
    if (!open_.empty() && (open_.back().what == '"' || open_.back().what == '\'')) {
      if (open_.back().what == '"' && c == '\\')
        ++i;
      else if (c == open_.back().what)
        open_.pop_back();
      continue;
    }
    const bool begins = i == column || is_blank(text[i - 1]) || text[i - 1] == ',' ||
                        text[i - 1] == '[' || text[i - 1] == '{' || text[i - 1] == ':';
    if (c == '#' && (i == 0 || is_blank(text[i - 1]))) return i;
    if ((c == '"' || c == '\'') && begins) open_.push_back({c, number, i});
    if ((c == '[' || c == '{') && (begins || !open_.empty())) open_.push_back({c, number, i});
    if ((c == ']' || c == '}') && !open_.empty() && closing(open_.back().what) == c)
      open_.pop_back();
  }
  return text.size();
}

Line Scanner::read(std::string_view text, int number) {
  Line line{.number = number, .indent = count_indent(text)};
  std::size_t at = line.indent;
  while (at < text.size() && text[at] == '-' && (at + 1 == text.size() || is_blank(text[at + 1]))) {
    line.is_item = true;
    at = std::min(text.find_first_not_of(" \t", at + 1), text.size());
  }
  // A quoted key ends at its quote, a plain one at the first colon that a blank follows.
  std::size_t from = at;
  if (from < text.size() && (text[from] == '"' || text[from] == '\''))
    from = std::min(text.find(text[from], from + 1), text.size());
  const bool is_flow = at < text.size() && (text[at] == '[' || text[at] == '{');
  std::size_t colon = is_flow ? std::string_view::npos : text.find(':', from);
  while (colon != std::string_view::npos && colon + 1 < text.size() && !is_blank(text[colon + 1]))
    colon = text.find(':', colon + 1);
  const std::size_t comment = text.find(" #", at);
  if (comment < colon) colon = std::string_view::npos;
  line.has_key = colon != std::string_view::npos;
  const std::size_t value =
      line.has_key ? std::min(text.find_first_not_of(" \t", colon + 1), text.size()) : at;
  const std::size_t end = scan(text, number, value);
  line.content = without_trailing_blanks(text.substr(at, end - at));
  line.value = without_trailing_blanks(text.substr(value, std::max(end, value) - value));
  return line;
}

std::optional<SyntaxMistake> Scanner::look_at(std::string_view text, int number) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return std::nullopt;
  if (block_) {
    if (count_indent(text) > *block_) return std::nullopt;
    block_.reset();
  }
  if (!open_.empty()) {
    scan(text, number, 0);
    return std::nullopt;
  }
  if (text[first] == '#') return std::nullopt;
  if (text.starts_with("---") || text.starts_with("...") || text.starts_with('%')) {
    levels_.clear();
    opens_ = true;
    return std::nullopt;
  }
  if (text.substr(0, first).find('\t') != std::string_view::npos)
    return SyntaxMistake{.at = place(number, text.find('\t')),
                         .message = "a tab indents this line",
                         .hint = "indent with spaces alone",
                         .suggestion = {}};
  const Line line = read(text, number);
  if (auto mistake = check_colon(line)) return mistake;
  if (auto mistake = check_indent(line)) return mistake;
  follow(line);
  return std::nullopt;
}

/// Text alone on a line, where a key should stand.
std::optional<SyntaxMistake> Scanner::check_colon(const Line& line) {
  if (line.has_key || line.is_item || line.content.empty()) return std::nullopt;
  const bool starts_here = opens_ || line.indent <= key_indent_;
  const std::size_t end = std::min(line.content.find_first_of(" :"), line.content.size());
  const std::string_view word = line.content.substr(0, end);
  if (!starts_here || !is_word(word)) return std::nullopt;
  std::string_view rest = line.content.substr(end);
  const bool colon = rest.starts_with(':');
  if (colon) rest.remove_prefix(1);
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
  const std::string suggestion =
      std::string(word) + ":" + (rest.empty() ? "" : " ") + std::string(rest);
  return SyntaxMistake{
      .at = place(line.number, line.indent),
      .message = colon ? "a blank is missing after the colon of `" + std::string(word) + "`"
                       : "a colon is missing after `" + std::string(word) + "`",
      .hint = "did you mean `" + suggestion + "`?",
      .suggestion = suggestion};
}

std::optional<SyntaxMistake> Scanner::check_indent(const Line& line) {
  if (!line.has_key && !line.is_item) return std::nullopt;
  if (levels_.empty() || line.indent > levels_.back()) {
    if (opens_ || levels_.empty()) return std::nullopt;
    return SyntaxMistake{.at = place(line.number, line.indent),
                         .message =
                             "this line is indented further than the one before, which has "
                             "a value already",
                         .hint = "indent it by " + std::to_string(levels_.back()) + " spaces",
                         .suggestion = std::string(line.content)};
  }
  const bool fits = std::find(levels_.begin(), levels_.end(), line.indent) != levels_.end();
  if (fits) return std::nullopt;
  const auto above = std::lower_bound(levels_.begin(), levels_.end(), line.indent);
  return SyntaxMistake{
      .at = place(line.number, line.indent),
      .message = "the indentation of this line fits none of those before it",
      .hint = "indent it by " + std::to_string(*above) + " spaces" +
              (above == levels_.begin() ? "" : " or " + std::to_string(*(above - 1))),
      .suggestion = std::string(line.content)};
}

/// Takes the line into account for those that follow.
void Scanner::follow(const Line& line) {
  if (!line.has_key && !line.is_item) {
    opens_ = false;
    return;
  }
  while (!levels_.empty() && levels_.back() > line.indent) levels_.pop_back();
  if (levels_.empty() || levels_.back() < line.indent) levels_.push_back(line.indent);
  if (line.is_item && line.has_key) {
    // The keys of an item's mapping line up with its first.
    const std::string_view text = source_->line(line.number);
    const auto key = static_cast<std::size_t>(line.content.data() - text.data());
    levels_.push_back(key);
    key_indent_ = key;
  } else if (line.has_key) {
    key_indent_ = line.indent;
  }
  std::string_view value = line.value;
  while (value.starts_with('&') || value.starts_with('!')) {
    const std::size_t blank = value.find(' ');
    value = blank == std::string_view::npos ? "" : value.substr(blank + 1);
  }
  if (value.starts_with('|') || value.starts_with('>')) block_ = line.indent;
  opens_ = value.empty() || (line.is_item && !line.has_key && line.content.empty());
}

}  // namespace

SyntaxMistake find_syntax_mistake(const Position& at, const std::string& message) {
  if (auto mistake = Scanner(at, at.source).run()) return *mistake;
  return {.at = at, .message = message, .hint = {}, .suggestion = {}};
}

}  // namespace manifests
