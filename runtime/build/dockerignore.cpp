#include "runtime/build/dockerignore.hpp"

#include "runtime/build/glob.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\v\f");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\v\f") - begin + 1);
}

bool fits(const std::string& pattern, bool literal, std::string_view path) {
  return literal ? pattern == path : match_path(pattern, path, true);
}

}  // namespace

std::string clean_relative(std::string_view path) {
  std::vector<std::string_view> names;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (!names.empty()) names.pop_back();
      continue;
    }
    names.push_back(name);
  }
  std::string result;
  for (const std::string_view name : names) {
    if (!result.empty()) result += '/';
    result += name;
  }
  return result;
}

void Ignore::add(std::string_view line) {
  line = trim(line);
  if (line.empty()) return;
  Pattern pattern;
  if (line.front() == '!') {
    pattern.exception = true;
    line = trim(line.substr(1));
    if (line.empty()) throw os::Error("illegal exclusion pattern: \"!\"");
  }
  pattern.text = clean_relative(line);
  if (pattern.text.empty()) return;  // "." and "/" ignore nothing
  const std::string mistake = pattern_mistake(pattern.text);
  if (!mistake.empty()) throw os::Error("the pattern '" + std::string(line) + "': " + mistake);
  pattern.literal = !has_wildcard(pattern.text);
  has_exceptions_ |= pattern.exception;
  patterns_.push_back(std::move(pattern));
}

Ignore Ignore::parse(std::string_view text) {
  Ignore ignore;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('#')) continue;
    try {
      ignore.add(line);
    } catch (const os::Error& error) {
      throw error.in("line " + std::to_string(number));
    }
  }
  return ignore;
}

Ignore Ignore::of(const std::vector<std::string>& patterns) {
  Ignore ignore;
  for (const std::string& pattern : patterns) ignore.add(pattern);
  return ignore;
}

bool Ignore::ignores(std::string_view path) const {
  if (path.empty()) return false;
  // The last one that fits decides, so the search begins there.
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern) {
    for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
      if (fits(pattern->text, pattern->literal, path.substr(0, end))) return !pattern->exception;
      if (end == std::string_view::npos) break;
    }
  }
  return false;
}

bool Ignore::may_return_below(std::string_view path) const {
  if (!has_exceptions_) return false;
  const std::string prefix = std::string(path) + "/";
  for (const Pattern& pattern : patterns_) {
    if (!pattern.exception) continue;
    // What stands before the first wildcard must lie on the way.
    const std::string fixed = pattern.text.substr(0, pattern.text.find_first_of("*?[\\"));
    if (fixed.starts_with(prefix) || prefix.starts_with(fixed)) return true;
  }
  return false;
}

}  // namespace build
