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
    const std::size_t end = pattern.find('.');
    const std::string_view wanted = pattern.substr(0, end);
    if (wanted != "*" && wanted != segment) return false;
    pattern = end == std::string_view::npos ? std::string_view{} : pattern.substr(end + 1);
  }
  return pattern.empty();
}

}  // namespace manifests
