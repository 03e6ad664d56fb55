// What can be known to fail before anything is made: images that are not there, bind sources, files
// of configs and secrets, ports that are taken, health that nobody checks. Every mistake, with its
// place.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/stack.hpp"
#include "orchestrator/paths.hpp"

namespace orchestrator {

/// Looks at `services` of the stack. Nothing is changed.
std::vector<manifests::Diagnostic> preflight(const manifests::Stack& stack,
                                             const std::set<std::string>& services,
                                             const Paths& paths);

}  // namespace orchestrator
