// Whether the store is whole: every blob has its bytes, every image its parts; and what can be
// mended.
#pragma once

#include <string>
#include <vector>

#include "runtime/image/store.hpp"

namespace image {

struct Finding {
  std::string what;       ///< in a sentence
  bool repaired = false;  ///< or would be, when nothing is to be changed
  std::string advice;     ///< what to do where it could not be
};

struct CheckOptions {
  bool repair = true;
  bool read_blobs = true;  ///< compute every digest anew, which reads all of the store
};

/// Looks at everything. A layer that is missing is unpacked again from its blob, a damaged blob is
/// taken away, and so is what a crash left. Throws os::Error(EBUSY) while somebody works with it.
std::vector<Finding> check_store(Store& store, const CheckOptions& options);

}  // namespace image
