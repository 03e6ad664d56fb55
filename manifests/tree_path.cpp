#include "manifests/tree_path.hpp"

namespace manifests {

std::string index_segment(std::size_t index) { return "[" + std::to_string(index) + "]"; }

std::string dotted(const TreePath& path) {
  std::string text;
  for (const std::string& segment : path) {
    if (!text.empty() && !segment.starts_with('[')) text += '.';
    text += segment;
  }
  return text;
}

bool matches(const TreePath& path, std::string_view pattern) {
  for (const std::string& segment : path) {
    if (pattern.empty()) return false;
    if (pattern.front() == '*') {
      pattern.remove_prefix(1);
    } else {
      // A key with a dot in it is one segment, never two of the pattern.
      if (!pattern.starts_with(segment) || segment.find('.') != std::string::npos) return false;
      pattern.remove_prefix(segment.size());
    }
    if (pattern.empty()) continue;
    if (pattern.front() != '.') return false;
    pattern.remove_prefix(1);
  }
  return pattern.empty();
}

}  // namespace manifests
