// find_heredocs: which words of an instruction begin a heredoc.
#include "runtime/build/dockerfile.hpp"
#include "runtime/build/expand.hpp"

namespace build {

namespace {

/// Whether the word is `[digits]<<[-]` and what may follow; `rest` is what follows.
bool is_heredoc(std::string_view word, bool& strip_tabs, std::string_view& rest) {
  std::size_t i = word.find_first_not_of("0123456789");
  if (i == std::string_view::npos || !word.substr(i).starts_with("<<")) return false;
  i += 2;
  strip_tabs = i < word.size() && word[i] == '-';
  if (strip_tabs) ++i;
  rest = word.substr(i);
  return rest.find('<') == std::string_view::npos;
}

std::string without_quotes(std::string_view text) {
  std::string result;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      result += text[++i];
    } else if (quote != '\0' ? c == quote : c == '"' || c == '\'') {
      quote = quote != '\0' ? '\0' : c;
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

std::vector<Heredoc> find_heredocs(const PositionedText& rest) {
  std::vector<Heredoc> heredocs;
  const std::vector<RawWord> words = split_quoted(rest.text());
  for (std::size_t i = 0; i < words.size(); ++i) {
    Heredoc heredoc;
    std::string_view name;
    if (!is_heredoc(words[i].text, heredoc.strip_tabs, name)) continue;
    heredoc.word = words[i].text;
    heredoc.at = rest.at(words[i].offset);
    std::string delimiter(name);
    // Blanks may stand before the name.
    if (delimiter.empty() && i + 1 < words.size() && words[i + 1].text.front() != '<')
      delimiter = words[++i].text;
    if (delimiter.empty()) continue;
    heredoc.name = without_quotes(delimiter);
    heredoc.expand = heredoc.name == delimiter;
    heredocs.push_back(std::move(heredoc));
  }
  return heredocs;
}

}  // namespace build
