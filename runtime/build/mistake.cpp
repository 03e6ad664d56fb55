#include "runtime/build/mistake.hpp"

#include <algorithm>
#include <numeric>

namespace build {

namespace {

/// Line `number` (from 1) of `text`, without its end.
std::string_view line_of(std::string_view text, std::size_t number) {
  for (std::size_t line = 1; line < number; ++line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string_view line = text.substr(0, text.find('\n'));
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::size_t count_lines(std::string_view text) {
  const auto ends = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  return ends + (text.empty() || text.back() == '\n' ? 0U : 1U);
}

std::string printable(std::string_view line) {
  constexpr std::size_t kWidth = 160;
  std::string text;
  for (const char c : line.substr(0, kWidth))
    text += c == '\t' || static_cast<unsigned char>(c) >= 0x20 ? c : '?';
  return text;
}

/// Edit distance that counts a swap of neighbours as one (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string render(const Mistake& mistake, std::string_view file, std::string_view text,
                   bool is_error) {
  std::string result(file);
  if (mistake.at.line > 0)
    result += ":" + std::to_string(mistake.at.line) + ":" + std::to_string(mistake.at.column);
  result += std::string(": ") + (is_error ? "error: " : "warning: ") + mistake.message + "\n";
  if (mistake.at.line > 0) {
    const std::string_view line = line_of(text, mistake.at.line);
    const std::string number = std::to_string(mistake.at.line);
    result +=
        "  " + number + " | " + printable(line) + "\n  " + std::string(number.size(), ' ') + " | ";
    for (std::size_t i = 0; i + 1 < mistake.at.column && i < line.size(); ++i)
      if ((static_cast<unsigned char>(line[i]) & 0xC0) != 0x80)
        result += line[i] == '\t' ? '\t' : ' ';
    result += "^\n";
  }
  if (!mistake.hint.empty()) result += "  " + mistake.hint + "\n";
  return result;
}

std::string excerpt(std::string_view text, std::size_t first_line, std::size_t last_line) {
  constexpr std::size_t kAround = 2;
  constexpr std::size_t kMost = 20;
  const std::size_t begin = first_line > kAround ? first_line - kAround : 1;
  const std::size_t end = std::min({last_line + kAround, count_lines(text), first_line + kMost});
  std::string result;
  for (std::size_t line = begin; line <= end; ++line) {
    const bool marked = line >= first_line && line <= last_line;
    std::string number = std::to_string(line);
    number.insert(0, number.size() < 4 ? 4 - number.size() : 0, ' ');
    result += number + " | " + (marked ? ">>> " : "    ") + printable(line_of(text, line)) + "\n";
  }
  return result;
}

InvalidDockerfile::InvalidDockerfile(std::vector<Mistake> mistakes, std::string_view file,
                                     std::string_view text)
    : mistakes_(std::move(mistakes)) {
  for (const Mistake& mistake : mistakes_) text_ += render(mistake, file, text);
  while (!text_.empty() && text_.back() == '\n') text_.pop_back();
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > 64) return {};
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string found;
  for (const std::string& candidate : candidates) {
    const std::size_t here = distance(word, candidate);
    if (here < best) {
      best = here;
      found = candidate;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string near = nearest(word, candidates);
  return near.empty() ? std::string() : "did you mean " + near + "?";
}

}  // namespace build
