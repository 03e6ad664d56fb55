// Unpacks one layer: a tar stream that may be hostile becomes a directory for overlayfs, and
// nothing outside of that directory is ever touched (OCI image specification, layer.md).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "runtime/image/digest.hpp"
#include "runtime/image/layer_stack.hpp"
#include "runtime/image/limits.hpp"
#include "runtime/image/tar_stream.hpp"

namespace image {

/// What was unpacked.
struct LayerSummary {
  Digest diff_id;          ///< of the uncompressed stream to its end
  std::int64_t bytes = 0;  ///< of the uncompressed stream
  std::int64_t entries = 0;
  std::int64_t skipped_xattrs = 0;  ///< not on the allow-list, or unsupported by the file system
  std::string compression;          ///< "", "gzip", "zstd", "xz", "bzip2": told by content
};

/// Unpacks the layer that `source` streams into the empty directory `directory` (a descriptor), as
/// the next layer above `lower`. Entries' parents are resolved inside the merged tree; a parent
/// that only lower layers have is made with their attributes. Whiteouts become character devices
/// 0:0 and opaque marks trusted.overlay.opaque. Extended attributes pass an allow-list: user.*
/// without user.overlay.*, and security.capability. The stream is read to its end. Throws os::Error
/// that names the entry for whatever is malformed, leads out of the root or passes a limit; the
/// directory is then to be thrown away.
LayerSummary unpack_layer(int directory, const LayerStack& lower, const ByteSource& source,
                          const Limits& limits = {});

/// Unpacks an archive that is no layer into `directory`, which holds what is new of a directory
/// that `lower` shows: the root for every link in it. An entry replaces whatever is at its place,
/// but a directory goes on as one; the root itself and names of whiteouts are passed over. With
/// `owner`, entries are given to it. Times are cut to seconds. Throws as unpack_layer().
void unpack_archive(int directory, const LayerStack& lower, const ByteSource& source,
                    const std::optional<std::pair<uid_t, gid_t>>& owner, const Limits& limits = {});

}  // namespace image
