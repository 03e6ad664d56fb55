// Which project a command is about: the one its files describe, or one that is known by name alone
// (Compose C1.8).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifests/load.hpp"
#include "manifests/stack.hpp"
#include "orchestrator/cli/invocation.hpp"
#include "orchestrator/protocol.hpp"

namespace cli {

struct Project {
  std::string name;
  std::optional<manifests::Stack> stack;  ///< nothing when only the name is known

  /// The stack as requests carry it; null when only the name is known.
  orchestrator::protocol::Json json() const;
};

/// The options that the command line and the surroundings come to.
manifests::LoadOptions load_options(const Invocation& invocation);

/// Whether there is a file that says what the project is; false where load_stack() finds none.
bool has_project_files(const Invocation& invocation);

/// Loads the files; warnings are printed. `services` are those named on the command line: profiles
/// that they need are turned on. Throws manifests::InvalidManifest, also for an unknown service.
manifests::Stack load_stack(const Invocation& invocation, const std::vector<std::string>& services);

/// The project of a command that changes or shows what exists: with `-p` and no `-f` only the name,
/// else the files; when there are none, COMPOSE_PROJECT_NAME. Throws as load_stack().
Project find_project(const Invocation& invocation, const std::vector<std::string>& services);

}  // namespace cli
