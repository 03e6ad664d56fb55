// What `network` and `volume` share: a verb, then names of objects that belong to no one stack.
#pragma once

#include "orchestrator/cli/commands.hpp"

namespace cli {

struct ObjectFlags {
  std::vector<std::string> words;  ///< verb, names
  std::vector<std::string> labels;
  std::vector<std::string> options;
  std::string driver;
  std::string format = "table";
  bool quiet = false;
  bool force = false;

  const std::string& verb() const { return words.front(); }
  std::vector<std::string> names() const { return {words.begin() + 1, words.end()}; }
};

struct ObjectHelp {
  const char* driver;     ///< the one there is, and its default
  const char* options;    ///< what `--opt` may be
  const char* arguments;  ///< the verbs
};

/// Declares the options and arguments.
void declare(CommandLine& line, ObjectFlags& flags, const ObjectHelp& help);
/// Throws UsageError that names the verbs when it is none of them.
void require_verb(const ObjectFlags& flags, const std::vector<std::string>& verbs);

}  // namespace cli
