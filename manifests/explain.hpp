// Where the value of a variable comes from: every place that may set it, in the order in which they
// win, and every place that names it (Compose B2, B3).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifests/attributes.hpp"
#include "manifests/load.hpp"

namespace manifests {

struct VariableSource {
  std::string where;                 ///< "the process environment", "an environment file", …
  Position at;                       ///< in a file; none for the process
  std::optional<std::string> value;  ///< unset: it could be set there, and is not
  bool wins = false;
};

struct VariableEffect {
  std::string path;  ///< of the value that names it, or "services.web.environment.NAME"
  Position at;
  std::string text;                  ///< the reference as written; empty where it is set
  std::optional<std::string> value;  ///< what it comes to; unset where a value is required
};

struct Explanation {
  std::string name;
  std::vector<VariableSource> sources;   ///< the first that has a value wins
  std::vector<VariableEffect> uses;      ///< in the Compose files
  std::vector<VariableEffect> services;  ///< containers that are given a variable of this name
};

/// Throws as load() does when the files cannot be read.
Explanation explain_variable(const LoadOptions& options, const std::string& name);

std::string to_text(const Explanation& explanation);
Json to_json(const Explanation& explanation);

}  // namespace manifests
