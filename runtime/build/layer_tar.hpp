// An overlay's upper directory as an image layer: the tar of what changed, with whiteouts
// (OCI image specification, layer.md).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/image/layer_stack.hpp"

namespace build {

/// What a layer's times may be: as they are, or none later than this (SOURCE_DATE_EPOCH).
using LatestTime = std::optional<std::int64_t>;

/// Writes the layer to `sink`. Times of the files in `upper` become those of the archive: whole
/// seconds, none past `latest`. `lower` is what lies below; whiteouts of what it does not have are
/// left out. Sockets are left out. Throws os::Error.
void write_layer_tar(const std::string& upper, const image::LayerStack& lower, LatestTime latest,
                     const std::function<void(std::string_view)>& sink);

/// Writes all of a directory but sockets to `sink`; its files stay as they are. Throws os::Error.
void write_tree_tar(const std::string& directory,
                    const std::function<void(std::string_view)>& sink);

}  // namespace build
