// Variables in values (Compose B3): `$NAME`, `${NAME}`, `${NAME:-default}` and their kin.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/dotenv.hpp"
#include "manifests/node.hpp"

namespace manifests {

/// What a text became, or why it could not.
struct Expansion {
  enum class Failure {
    none,
    syntax,    ///< `${` that begins nothing known
    required,  ///< `${NAME?message}` without a value
    too_large
  };
  std::string text;
  std::vector<std::string> unset;  ///< variables without value that became empty
  Failure failure = Failure::none;
  std::string message;  ///< of the failure
  std::string culprit;  ///< the part of the text where it failed
};

/// Replaces the variables of `text`. `$$` is a dollar sign; a `$` before anything else stays.
Expansion expand(std::string_view text, const Lookup& lookup);

/// A variable as a text names it: `$NAME`, or `${NAME}` with an operator and its argument.
struct VariableReference {
  std::string name;
  char operation = 0;           ///< '-', '+' or '?'; 0 for none
  bool empty_is_unset = false;  ///< `:-`, `:+`, `:?`
  std::string argument;         ///< as written
  std::string text;             ///< all of it
};

/// The variables that `text` names, those in the arguments of others after these. What is no
/// variable is passed over.
std::vector<VariableReference> variable_references(std::string_view text);

/// The warning for a variable without value.
std::string unset_variable_message(const std::string& name);

/// Replaces the variables in every scalar value of `model`; keys stay as they are. Failures are
/// errors with path and place, each unset variable is one warning.
void interpolate(Node& model, const Lookup& lookup, Diagnostics& diagnostics);

}  // namespace manifests
