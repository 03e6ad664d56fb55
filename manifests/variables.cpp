#include "manifests/variables.hpp"

#include <algorithm>
#include <map>

#include "manifests/tree_path.hpp"

namespace manifests {

namespace {

/// The place of the reference in the line where the value begins, else that of the value.
Position place_in(const Node& scalar, const std::string& text) {
  if (!scalar.at) return scalar.at;
  const std::size_t from = static_cast<std::size_t>(std::max(scalar.at.column, 1) - 1);
  const std::size_t found =
      scalar.at.source->line(scalar.at.line).find(text.substr(0, text.find('\n')), from);
  Position at = scalar.at;
  if (found != std::string_view::npos) at.column = static_cast<int>(found) + 1;
  return at;
}

void collect(const Node& node, TreePath& path, std::vector<VariableUse>& uses) {
  if (node.is_scalar() && node.text.find('$') != std::string::npos)
    for (VariableReference& reference : variable_references(node.text)) {
      Position at = place_in(node, reference.text);
      uses.push_back({.variable = std::move(reference), .path = dotted(path), .at = std::move(at)});
    }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Descent descent(path, index_segment(i));
    collect(node.items[i], path, uses);
  }
  for (const Entry& entry : node.entries) {
    const Descent descent(path, entry.key);
    collect(entry.value, path, uses);
  }
}

}  // namespace

std::vector<VariableUse> variable_uses(const Node& model) {
  std::vector<VariableUse> uses;
  TreePath path;
  collect(model, path, uses);
  return uses;
}

std::vector<VariableSummary> summarize(const std::vector<VariableUse>& uses) {
  std::map<std::string, VariableSummary> by_name;
  for (const VariableUse& use : uses) {
    VariableSummary& summary = by_name[use.variable.name];
    summary.name = use.variable.name;
    if (use.variable.operation == '?') summary.required = true;
    if (use.variable.operation == '-' && summary.default_value.empty())
      summary.default_value = use.variable.argument;
    if (use.variable.operation == '+' && summary.alternate_value.empty())
      summary.alternate_value = use.variable.argument;
  }
  std::vector<VariableSummary> summaries;
  for (auto& [name, summary] : by_name) summaries.push_back(std::move(summary));
  return summaries;
}

}  // namespace manifests
