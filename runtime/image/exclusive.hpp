// Having the store alone.
#pragma once

#include <optional>

#include "runtime/image/layout.hpp"

namespace image {

/// Layout::try_exclusive() for up to two seconds: a command that was killed just now, or is about
/// to end, lets go in a moment.
std::optional<os::FileLock> wait_exclusive(const Layout& layout);

}  // namespace image
