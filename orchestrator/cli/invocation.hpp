// What a command is given: the flags before it, its own words, and how its output shall look.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/cli/command_line.hpp"
#include "orchestrator/cli/globals.hpp"
#include "orchestrator/paths.hpp"

namespace cli {

struct Invocation {
  Globals globals;
  Style style;
  std::map<std::string, std::string> environment;
  orchestrator::Paths paths;
  CommandLine line;  ///< of the command
};

/// Throws os::Error unless we are root: containers, networks and their records are root's.
void require_root(const Invocation& invocation);

}  // namespace cli
