// The first use of an empty volume: it receives what the image has at its place.
#pragma once

#include <string>
#include <string_view>

#include "runtime/image/layer_stack.hpp"

namespace image {

/// Copies the content of the directory at `path` in the image into the volume `directory` when that
/// is empty: owner, mode, links, extended attributes, times; `directory` itself takes the owner,
/// mode and times of the image's directory. Without such a directory in the image nothing changes.
/// Returns whether it copied. A crash at any instant is mended by the next call; calls for the same
/// volume wait for each other. Its work files lie beside `directory`, their names start with ".".
bool copy_up(const LayerStack& layers, std::string_view path, const std::string& directory);

}  // namespace image
