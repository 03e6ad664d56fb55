// From the forms people write to the one form that decode reads: `"8080:80"` becomes a port with
// target and published, a list of names a map, a string a list. Nodes in, nodes out; positions
// stay.
#pragma once

#include "manifests/diagnostic.hpp"
#include "manifests/node.hpp"

namespace manifests {

/// `model` (merged or not, valid by the schema) in long form throughout. Doing it twice changes
/// nothing. Text that cannot be taken apart ("too many colons", "Invalid proto") is reported; with
/// `lenient` it is left as it stands (what `--no-interpolate` needs).
Node canonical(Node model, Diagnostics& diagnostics, bool lenient = false);

/// Fills what is implied by absence and matters before paths are resolved: `build.context`, the
/// target of a secret, protocol and mode of a port, the count of a device request.
void set_defaults(Node& model);

}  // namespace manifests
