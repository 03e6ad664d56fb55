// Whether bytes are text.
#pragma once

#include <cstddef>
#include <string_view>

namespace manifests {

/// The length of the UTF-8 sequence that `text`, which is not empty, begins with; 0 when it is not
/// valid (RFC 3629).
std::size_t utf8_length(std::string_view text);

}  // namespace manifests
