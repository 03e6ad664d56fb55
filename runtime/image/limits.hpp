// How much a foreign archive may ask for before it is refused.
#pragma once

#include <cstddef>
#include <cstdint>

namespace image {

/// Bounds on what a layer may ask for; reaching one is an error.
struct Limits {
  std::int64_t bytes = std::int64_t{64} << 30;  ///< of the tar stream, and of all files together
  std::int64_t entries = 2'000'000;
  std::int64_t ratio = 250;  ///< uncompressed to compressed, once 64 MiB have come out
  std::size_t path = 4096;   ///< of a name or a link's target
  std::size_t depth = 256;   ///< directories above one another, links resolved
};

}  // namespace image
