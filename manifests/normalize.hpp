// What a model implies but does not say (Compose B12): names from keys, the default network,
// dependencies that links and shared namespaces bring, variables from the project environment and
// from env files.
#pragma once

#include <map>
#include <string>

#include "manifests/diagnostic.hpp"
#include "manifests/stack.hpp"

namespace manifests {

/// Completes `stack` (its name must be set). `environment` is the project's.
void normalize(Stack& stack, const std::map<std::string, std::string>& environment);

/// Gives configs and secrets whose source is `environment` their content, when the variable is set.
void resolve_contents(Stack& stack, const std::map<std::string, std::string>& environment);

/// Values for variables without one, then `env_file` under `environment` (A2, B4). With `discard`
/// the files are forgotten afterwards. A required file that is missing, or a bad line, is reported.
void resolve_environment(Stack& stack, const std::map<std::string, std::string>& environment,
                         bool discard, Diagnostics& diagnostics);

/// `label_file` under `labels`, likewise.
void resolve_labels(Stack& stack, bool discard, Diagnostics& diagnostics);

}  // namespace manifests
