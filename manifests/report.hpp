// Diagnostics as data, for editors and other programs.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "manifests/attributes.hpp"
#include "manifests/diagnostic.hpp"

namespace manifests {

/// {"severity", "message", "file", "line", "column", "excerpt", "path", "hint", "suggestion",
/// "related": {"file", "line", "column", "message"}}; lines and columns from 1, what is unknown or
/// empty left out.
Json to_json(const Diagnostic& diagnostic);

/// {"diagnostics": […]}
Json to_json(const std::vector<Diagnostic>& diagnostics);

}  // namespace manifests
