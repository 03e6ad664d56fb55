// Text to nodes, for tests of the phases that work on nodes, and nodes to text to compare.
#pragma once

#include <memory>
#include <string>

#include "manifests/document.hpp"

namespace manifests {

inline Node yaml(const std::string& text) {
  auto source = std::make_shared<Source>();
  source->name = "compose.yaml";
  source->text = text;
  std::vector<Node> documents = parse_documents(source);
  return documents.empty() ? Node::make_mapping() : std::move(documents.front());
}

/// Flow style: `{a: [1, x], b: ~}`.
inline std::string flow(const Node& node) {
  std::string text;
  if (node.is_null()) return "~";
  if (node.is_scalar()) return node.text;
  if (node.is_sequence()) {
    for (const Node& item : node.items) text += (text.empty() ? "" : ", ") + flow(item);
    return "[" + text + "]";
  }
  for (const Entry& entry : node.entries)
    text += (text.empty() ? "" : ", ") + entry.key + ": " + flow(entry.value);
  return "{" + text + "}";
}

}  // namespace manifests
