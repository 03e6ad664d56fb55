// Circles in the dependencies of services.
#pragma once

#include <string>
#include <vector>

#include "manifests/stack.hpp"

namespace manifests {

/// Each circle as the path that closes it: {"a", "b", "a"}. Every service that is part of one is
/// named in at least one path.
std::vector<std::vector<std::string>> dependency_cycles(const Stack& stack);

}  // namespace manifests
