// A one-off container with our terminal or our standard streams; or just its id.
#pragma once

#include <string>

#include "orchestrator/cli/invocation.hpp"
#include "orchestrator/protocol.hpp"

namespace cli {

/// Starts the container, prints its id and leaves it alone.
int run_detached(const Invocation& invocation, const std::string& project,
                 const orchestrator::protocol::Run& request);

/// Starts the container, passes input, output and signals, and returns its exit code.
int run_attached(const Invocation& invocation, const std::string& project,
                 const orchestrator::protocol::Run& request);

}  // namespace cli
