// The command line of an OCI runtime: create, start, state, kill, delete and what runc added to
// them (runtime-spec, "Runtime and Lifecycle").
#pragma once

#include <string>
#include <vector>

namespace monitor {

/// Runs one command and returns its exit code; a failure is reported on stderr and in --log.
int run_oci(const std::vector<std::string>& arguments);

}  // namespace monitor
