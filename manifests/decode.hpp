// Node tree → Stack: every attribute read into its type, nothing decided.
#pragma once

#include "manifests/diagnostic.hpp"
#include "manifests/node.hpp"
#include "manifests/stack.hpp"

namespace manifests {

/// Reads a canonical model. A value that its type cannot hold is reported (path and position) and
/// left at its default.
Stack decode(Node model, Diagnostics& diagnostics);

/// JSON as a node tree without positions.
Node node_from_json(const Json& value);

/// The stack that print's `to_json(stack, Detail::complete)` described; equal to it but for
/// positions. Throws InvalidManifest when the JSON is no valid model.
Stack from_json(const Json& value);

}  // namespace manifests
