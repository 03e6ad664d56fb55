#include "manifests/include.hpp"

#include <algorithm>
#include <array>

#include "manifests/merge.hpp"

namespace manifests {

namespace {

std::string absolute(const PathBase& base, const std::string& path) {
  const bool at_home = path == "~" || path.starts_with("~/");
  if (at_home && !base.home.empty()) return join_path(base.home, "." + path.substr(1));
  return join_path(base.directory, path);
}

std::vector<std::string> paths_of(const Node& node, const std::string& key, const PathBase& base,
                                  Diagnostics& diagnostics) {
  std::vector<std::string> paths;
  const auto add = [&](const Node& item) {
    if (item.is_scalar() && !item.text.empty())
      paths.push_back(absolute(base, item.text));
    else
      diagnostics.error(item.at, "include." + key + " must be a path or a list of paths");
  };
  if (node.is_sequence())
    std::for_each(node.items.begin(), node.items.end(), add);
  else
    add(node);
  return paths;
}

Include read_item(const Node& item, const PathBase& base, Diagnostics& diagnostics) {
  Include include;
  include.at = item.at;
  if (!item.is_mapping()) {
    include.files = paths_of(item, "path", base, diagnostics);
  } else {
    for (const Entry& entry : item.entries) {
      if (entry.key == "path") {
        include.files = paths_of(entry.value, entry.key, base, diagnostics);
      } else if (entry.key == "project_directory") {
        const auto directory = paths_of(entry.value, entry.key, base, diagnostics);
        if (!directory.empty()) include.directory = directory.front();
      } else if (entry.key == "env_file") {
        include.env_files = paths_of(entry.value, entry.key, base, diagnostics);
        include.default_env_file = include.env_files.empty();
      } else {
        diagnostics
            .error(entry.key_at, "include additional properties '" + entry.key + "' not allowed")
            .hint = "an item is a path, or has path, project_directory and env_file";
      }
    }
    if (item.find("path") == nullptr) diagnostics.error(item.at, "include.path is required");
  }
  if (include.directory.empty() && !include.files.empty())
    include.directory = parent_directory(include.files.front());
  return include;
}

}  // namespace

std::vector<Include> read_includes(const Node& includes, const PathBase& base,
                                   Diagnostics& diagnostics) {
  std::vector<Include> items;
  if (includes.is_null()) return items;
  if (!includes.is_sequence()) {
    diagnostics.error(includes.at, "`include` must be a list" +
                                       (includes.is_scalar() ? ", got " + includes.text : ""));
    return items;
  }
  for (const Node& item : includes.items) {
    Include include = read_item(item, base, diagnostics);
    if (!include.files.empty()) items.push_back(std::move(include));
  }
  return items;
}

void import_model(Node& document, Node imported, const std::vector<TreePath>& resets,
                  Diagnostics& diagnostics) {
  constexpr std::array<const char*, 6> kSections = {"services", "networks", "volumes",
                                                    "configs",  "secrets",  "models"};
  erase_paths(imported, resets);
  for (const char* section : kSections) {
    Node* from = imported.find(section);
    if (from == nullptr || !from->is_mapping()) continue;
    Node* own = document.find(section);
    if (own == nullptr)
      document.set(section, std::move(*from));
    else if (own->is_mapping())
      *own = merge(std::move(*from), std::move(*own), {section}, diagnostics);
  }
}

}  // namespace manifests
