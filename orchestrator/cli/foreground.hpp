// `up` in the foreground: the logs of its containers until the last one ends, or somebody stops
// them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "orchestrator/cli/invocation.hpp"
#include "orchestrator/cli/log_stream.hpp"
#include "orchestrator/protocol.hpp"

namespace cli {

struct ForegroundOptions {
  std::set<std::string> services;  ///< whose containers are shown
  LogFormat format;
  bool abort_on_exit = false;
  bool abort_on_failure = false;
  std::string exit_code_from;  ///< a service; empty: none
  int timeout = -1;            ///< of a stop, in seconds; -1: each service's own
};

/// Carries out the request and shows what the containers say from the moment the first one starts.
/// The first interrupt stops them, also while they are starting. Returns the exit code of `up`.
int up_in_foreground(const Invocation& invocation, const std::string& project,
                     const orchestrator::protocol::Up& request, const ForegroundOptions& options);

}  // namespace cli
