// The init helper: PID 1 of a container that asked for one. Starts the program, passes signals on
// to it, reaps whatever becomes its child, and ends as the program ends.
#pragma once

#include <string>
#include <vector>

namespace monitor {

/// Runs `program` (argv) and returns its exit code, 128 + the signal that ended it, or 126 or 127
/// when it cannot be executed.
int run_init(const std::vector<std::string>& program);

}  // namespace monitor
