#include "manifests/diagnostic.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace manifests {

Diagnostic& Diagnostics::error(const Position& at, std::string message) {
  return all_.emplace_back(
      Diagnostic{.severity = Severity::error, .at = at, .message = std::move(message)});
}

Diagnostic& Diagnostics::warning(const Position& at, std::string message) {
  return all_.emplace_back(
      Diagnostic{.severity = Severity::warning, .at = at, .message = std::move(message)});
}

bool Diagnostics::has_errors() const {
  return std::any_of(all_.begin(), all_.end(), [](const Diagnostic& diagnostic) {
    return diagnostic.severity == Severity::error;
  });
}

namespace {

bool is_error(const Diagnostic& diagnostic) { return diagnostic.severity == Severity::error; }

/// A path with its indexes as segments: `ports[0]` and `ports.0` are the same place.
std::string in_segments(const std::string& path) {
  std::string segments;
  for (const char c : path) {
    if (c == '[') segments += '.';
    if (c != '[' && c != ']') segments += c;
  }
  return segments + ".";
}

}  // namespace

void Diagnostics::drop_consequences() {
  if (tolerated_ == 0) return;
  std::vector<std::string> causes;
  for (std::size_t i = 0; i < tolerated_; ++i)
    if (is_error(all_[i]) && !all_[i].path.empty()) causes.push_back(in_segments(all_[i].path));
  const auto follows = [&](const Diagnostic& diagnostic) {
    if (!is_error(diagnostic) || diagnostic.path.empty()) return false;
    const std::string path = in_segments(diagnostic.path);
    return std::any_of(causes.begin(), causes.end(), [&](const std::string& cause) {
      return cause.starts_with(path) || path.starts_with(cause);
    });
  };
  const auto begin = all_.begin() + static_cast<std::ptrdiff_t>(tolerated_);
  all_.erase(std::remove_if(begin, all_.end(), follows), all_.end());
}

void Diagnostics::throw_if_errors() {
  drop_consequences();
  const auto begin = all_.begin() + static_cast<std::ptrdiff_t>(tolerated_);
  if (std::any_of(begin, all_.end(), is_error)) throw InvalidManifest(all_);
}

void Diagnostics::tolerate_errors() {
  drop_consequences();
  tolerated_ = all_.size();
}

void Diagnostics::throw_if_any_errors() {
  drop_consequences();
  if (has_errors()) throw InvalidManifest(all_);
}

namespace {

std::string place(const Position& at) {
  return at.source->name + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

/// The line with a caret under the column; long lines are cut around it.
std::string excerpt(const Position& at) {
  constexpr std::size_t kWidth = 160;
  std::string_view line = at.source->line(at.line);
  std::size_t column = at.column > 0 ? static_cast<std::size_t>(at.column - 1) : 0;
  if (line.size() > kWidth) {
    const std::size_t begin = column > kWidth / 2 ? column - kWidth / 2 : 0;
    line = line.substr(std::min(begin, line.size()), kWidth);
    column -= std::min(column, begin);
  }
  const std::string number = std::to_string(at.line);
  std::string text = "  " + number + " | ";
  std::string caret = "  " + std::string(number.size(), ' ') + " | ";
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    text += c == '\t' || static_cast<unsigned char>(c) >= 0x20 ? c : '?';
    // A tab stays a tab, and the bytes of one character take one column.
    if (i < column && (static_cast<unsigned char>(c) & 0xC0) != 0x80)
      caret += c == '\t' ? '\t' : ' ';
  }
  return text + "\n" + caret + "^\n";
}

}  // namespace

std::string render(const Diagnostic& diagnostic, bool colour) {
  const bool wrong = is_error(diagnostic);
  const std::string begin = colour ? (wrong ? "\033[1;31m" : "\033[1;33m") : "";
  const std::string end = colour ? "\033[0m" : "";
  std::string text;
  if (diagnostic.at) text += place(diagnostic.at) + ": ";
  text += begin + (wrong ? "error: " : "warning: ") + end + diagnostic.message + "\n";
  if (diagnostic.at) text += excerpt(diagnostic.at);
  if (!diagnostic.hint.empty()) text += "  " + diagnostic.hint + "\n";
  if (diagnostic.related) {
    text += place(diagnostic.related) + ": " + diagnostic.related_message + "\n";
    text += excerpt(diagnostic.related);
  }
  return text;
}

InvalidManifest::InvalidManifest(std::vector<Diagnostic> diagnostics)
    : diagnostics_(std::move(diagnostics)) {
  for (const Diagnostic& diagnostic : diagnostics_) text_ += render(diagnostic);
}

namespace {

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

}  // namespace manifests
