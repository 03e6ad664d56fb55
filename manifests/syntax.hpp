// Where a YAML file goes wrong, as people see it. The parser says where it could not go on, which
// is often the line after the mistake; this looks at the lines before it.
#pragma once

#include <string>

#include "manifests/source.hpp"

namespace manifests {

struct SyntaxMistake {
  Position at;
  std::string message;
  std::string hint;        ///< may be empty
  std::string suggestion;  ///< what would stand in the line; may be empty
};

/// `at` is where the parser gave up, and `message` what it said. Looks for a tab that indents, a
/// colon that is missing, a line whose indentation fits no other, a quote or bracket that nobody
/// closes; otherwise it is what the parser said.
SyntaxMistake find_syntax_mistake(const Position& at, const std::string& message);

}  // namespace manifests
