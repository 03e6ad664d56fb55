// `up` in the foreground: the logs of its containers until the last one ends, or somebody stops
// them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "orchestrator/cli/invocation.hpp"
#include "orchestrator/cli/journal_reader.hpp"
#include "orchestrator/cli/log_stream.hpp"

namespace cli {

struct ForegroundOptions {
  std::set<std::string> services;  ///< whose containers are shown
  LogFormat format;
  bool abort_on_exit = false;
  bool abort_on_failure = false;
  std::string exit_code_from;  ///< a service; empty: none
  int timeout = -1;            ///< of a stop, in seconds; -1: each service's own
};

/// Shows what the containers of the project say; `journal` began before they were started.
/// Returns the exit code of `up`. Progress is shown by lines: a block would be torn by the logs.
int follow_project(Invocation& invocation, const std::string& project, JournalReader& journal,
                   const ForegroundOptions& options);

}  // namespace cli
