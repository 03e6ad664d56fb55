// What each attribute does, in a sentence: for hovering in an editor, and as the descriptions of
// the JSON Schema.
#pragma once

#include <string_view>

#include "manifests/tree_path.hpp"

namespace manifests {

/// Empty when there is nothing to say. `path` leads from the top of a file: services, web, ports.
std::string_view attribute_help(const TreePath& path);

}  // namespace manifests
