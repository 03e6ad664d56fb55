// A container's terminal on the terminal that a command was called from.
#pragma once

namespace monitor {

/// Copies between our standard streams and the terminal's `master` until nobody has its other side
/// open. Our terminal is raw meanwhile, and its size is the container's.
void serve_terminal(int master);

}  // namespace monitor
