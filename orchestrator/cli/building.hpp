// Carries builds out for the commands that build: `build`, `up --build`.
#pragma once

#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "orchestrator/build_request.hpp"
#include "orchestrator/cli/invocation.hpp"
#include "runtime/build/builder.hpp"

namespace cli {

struct BuildRun {
  int code = 0;                             ///< 0, or 130 when it was interrupted
  std::vector<build::BuildResult> results;  ///< in the order of the builds
};

/// Builds one after the other, each with its stages in parallel, and shows how it goes on. `style`
/// is auto, plain, tty or quiet. Throws what the builder throws.
BuildRun run_builds(const Invocation& invocation, std::vector<build::BuildOptions> builds,
                    const std::string& style);

/// Takes away what builds that were killed left behind; how many there were.
std::size_t sweep_dead_builds(const orchestrator::Paths& paths);

/// Builds what an `up` needs: see orchestrator::services_to_build(). `style` as for run_builds().
/// False when it was interrupted.
bool build_for_up(const Invocation& invocation, const manifests::Stack& stack,
                  const std::set<std::string>& services, bool all, const std::string& style);

}  // namespace cli
