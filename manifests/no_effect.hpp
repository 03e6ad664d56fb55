// Attributes that are read and kept, and then change nothing: they are for other systems, or for
// more machines than one. Each is said once, where it stands.
#pragma once

#include "manifests/diagnostic.hpp"
#include "manifests/node.hpp"

namespace manifests {

/// A warning for every such attribute of a canonical model.
void warn_of_no_effect(const Node& model, Diagnostics& diagnostics);

}  // namespace manifests
