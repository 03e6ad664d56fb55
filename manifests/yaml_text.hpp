// JSON values as block-style YAML, in the style of the reference's encoder (go-yaml): two spaces,
// list items indented under their key, strings plain where they read back as strings.
#pragma once

#include <string>
#include <string_view>

#include "manifests/stack.hpp"

namespace manifests {

/// The document, ending in a newline. Keys keep their order.
std::string yaml_text(const Json& value);

/// The order of mapping keys in the reference's YAML: digits by their number, `web2` before
/// `web10`.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace manifests
