// A tar stream onto a directory that others own or write to: no name in it and no link on the way
// leads out of the root that it is given.
#pragma once

#include <string>

#include "runtime/image/decompressor.hpp"

namespace image {

struct ExtractOptions {
  bool keep_owner = false;    ///< else everything is of user and group 0
  bool keep_special = false;  ///< setuid and setgid bits; device files. Else left out
  /// Links among the directories on the way: followed inside the root, or refused.
  bool follow_links = false;
};

/// Unpacks below `directory`, a path inside `root` (O_PATH) that exists. What is there already is
/// replaced, but never a directory by something else or the other way round. Throws os::Error.
void extract_tree(const ByteSource& source, int root, const std::string& directory,
                  const ExtractOptions& options);

}  // namespace image
