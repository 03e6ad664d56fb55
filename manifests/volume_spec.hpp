// The short form of a service's `volumes` (A8): `[SOURCE:]TARGET[:MODE]`.
#pragma once

#include <string>
#include <string_view>

#include "manifests/values.hpp"

namespace manifests {

/// A source that starts like a path is a bind, another one names a volume, none is an anonymous
/// volume. Unknown words in MODE are ignored.
Parsed<Mount> parse_volume_spec(std::string_view spec);

}  // namespace manifests
