// JSON values as block-style YAML, in the style of the reference's encoder (go-yaml): two spaces,
// list items indented under their key, strings plain where they read back as strings.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "manifests/stack.hpp"

namespace manifests {

/// What to write as a comment beside the value at a dotted path; empty: nothing.
using Annotate = std::function<std::string(const std::string& path)>;

/// The document, ending in a newline. Keys keep their order.
std::string yaml_text(const Json& value, const Annotate& annotate = {});

/// The order of mapping keys in the reference's YAML: digits by their number, `web2` before
/// `web10`.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace manifests
