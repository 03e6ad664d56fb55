// The variables that a model names: what `config --variables` lists, and `--explain` looks through.
#pragma once

#include <string>
#include <vector>

#include "manifests/interpolate.hpp"
#include "manifests/node.hpp"

namespace manifests {

struct VariableUse {
  VariableReference variable;
  std::string path;  ///< of the value that names it
  Position at;
};

/// Every use in a model that is not interpolated, in the order of the model.
std::vector<VariableUse> variable_uses(const Node& model);

/// What all uses of one variable say about it together.
struct VariableSummary {
  std::string name;
  bool required = false;
  std::string default_value;  ///< of the first use that has one
  std::string alternate_value;
};

/// By name, each once.
std::vector<VariableSummary> summarize(const std::vector<VariableUse>& uses);

}  // namespace manifests
