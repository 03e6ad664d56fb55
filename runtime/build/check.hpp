// The mistakes of a Dockerfile that show before anything runs: unknown instructions and flags,
// missing arguments, values that cannot be. All at once, each with its place. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "runtime/build/dockerfile.hpp"

namespace build {

/// Adds what is wrong with the instructions of `file` to its mistakes and warnings.
void check_dockerfile(Dockerfile& file);
/// The same for one instruction that stands in a stage (also what ONBUILD holds).
void check_instruction(const Instruction& instruction, char escape, std::vector<Mistake>& mistakes);

}  // namespace build
