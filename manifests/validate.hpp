// What no single value shows: references that lead nowhere, attributes that exclude each other,
// cycles. Every mistake of a stack is found in one run.
#pragma once

#include "manifests/diagnostic.hpp"
#include "manifests/stack.hpp"

namespace manifests {

/// Checks that hold for every part of the model, used or not (before consistency).
void validate_resources(const Stack& stack, Diagnostics& diagnostics);

/// Cross-field checks and references of the active services. Profiles must have been applied.
void validate(const Stack& stack, Diagnostics& diagnostics);

}  // namespace manifests
