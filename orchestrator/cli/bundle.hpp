// A stack with all that it needs in one file: the resolved Compose file with its configs, and the
// images. What it leaves out (binds, secrets) stays the business of the machine that runs it.
#pragma once

#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "orchestrator/cli/invocation.hpp"

namespace cli {

/// The file as it goes into a bundle: configs inline, images by name, paths of the project relative
/// again. `left_out` receives what the bundle will not hold, in words. Throws os::Error for a
/// config that cannot be read or is no text. Reads files, changes nothing.
std::string bundled_file(manifests::Stack stack, std::vector<std::string>& left_out);

/// Loads the bundle's images and makes its file the project's, for this invocation. Throws
/// os::Error when `path` is no bundle.
void open_bundle(Invocation& invocation, const std::string& path);

}  // namespace cli
