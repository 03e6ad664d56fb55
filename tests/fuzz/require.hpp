// What harnesses of tests/fuzz hold what they find against.
#pragma once

#include <cstdlib>

namespace fuzz {

/// Ends the run here, with the input kept, unless the condition holds.
inline void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace fuzz
