// The table of schema.hpp as a JSON Schema (draft 2020-12), for editors and other programs.
#pragma once

#include "manifests/attributes.hpp"

namespace manifests {

/// What a Compose file may say before its variables are replaced: rules about the text of a value
/// (a duration, a size) are annotations, as `${TIMEOUT}` may stand there too.
Json json_schema();

}  // namespace manifests
