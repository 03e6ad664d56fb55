#include "manifests/outline.hpp"

#include <algorithm>

namespace manifests {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front())
    text = text.substr(1, text.size() - 2);
  return std::string(text);
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(" \t", at), text.size());
}

OutlineLine read_line(std::string_view text) {
  OutlineLine line;
  std::size_t at = skip_blanks(text, 0);
  line.indent = at;
  line.dash = at;
  while (at < text.size() && text[at] == '-' && (at + 1 == text.size() || is_blank(text[at + 1]))) {
    line.is_item = true;
    at = skip_blanks(text, at + 1);
    line.indent = at;
  }
  line.blank = !line.is_item && (at >= text.size() || text[at] == '#' || text[at] == '\r');
  std::string_view content = text.substr(std::min(at, text.size()));
  content = content.substr(0, content.find(" #"));
  std::size_t colon = content.find(':');
  while (colon != std::string_view::npos && colon + 1 < content.size() &&
         !is_blank(content[colon + 1]) && content[colon + 1] != '\r')
    colon = content.find(':', colon + 1);
  const bool flow = !content.empty() && (content.front() == '[' || content.front() == '{');
  if (colon == std::string_view::npos || flow || line.blank) {
    line.value = unquoted(trimmed(content));
    line.value_at = at;
    return line;
  }
  line.key = unquoted(trimmed(content.substr(0, colon)));
  line.value_at = skip_blanks(text, at + colon + 1);
  line.value = unquoted(trimmed(content.substr(std::min(colon + 1, content.size()))));
  return line;
}

}  // namespace

Outline::Outline(std::string_view text) {
  for (;;) {
    const std::size_t end = text.find('\n');
    texts_.push_back(text.substr(0, end));
    lines_.push_back(read_line(texts_.back()));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

TreePath Outline::path_to(std::size_t number, std::size_t indent) const {
  TreePath reversed;
  const OutlineLine& own = lines_.at(number);
  std::size_t limit = indent;  // what encloses is indented less
  if (!own.blank) {
    if (!own.key.empty()) {
      reversed.push_back(own.key);
      limit = own.indent;
    }
    if (own.is_item) {
      reversed.push_back(index_segment(0));
      limit = own.dash + 1;  // a list may be indented as its key is
    }
  }
  for (std::size_t i = number; i-- > 0 && limit > 0;) {
    const OutlineLine& line = lines_[i];
    if (line.blank) continue;
    if (!line.key.empty() && line.indent < limit) {
      reversed.push_back(line.key);
      limit = line.indent;
    }
    if (line.is_item && line.dash < limit) {
      reversed.push_back(index_segment(0));
      limit = line.dash + 1;
    }
  }
  return {reversed.rbegin(), reversed.rend()};
}

std::vector<std::size_t> Outline::children(const TreePath& path) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].blank || lines_[i].key.empty()) continue;
    // Only a line at a plausible depth is worth the way up.
    if (path.empty() ? lines_[i].indent != 0 : lines_[i].indent == 0) continue;
    TreePath own = path_to(i, lines_[i].indent);
    if (own.size() != path.size() + 1) continue;
    own.pop_back();
    if (own == path) found.push_back(i);
  }
  return found;
}

std::string word_at(std::string_view line, std::size_t column) {
  const auto belongs = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.-/").find(c) != std::string_view::npos;
  };
  std::size_t begin = std::min(column, line.size());
  std::size_t end = begin;
  while (begin > 0 && belongs(line[begin - 1])) --begin;
  while (end < line.size() && belongs(line[end])) ++end;
  std::string_view word = line.substr(begin, end - begin);
  while (word.starts_with('-')) word.remove_prefix(1);
  return std::string(word);
}

}  // namespace manifests
