// Places to mount on that an image lacks, made in a layer of their own between the image and what a
// step writes: so nothing of them is ever in the step's layer.
#pragma once

#include <string>
#include <vector>

namespace build {

struct MountPoint {
  std::string path;  ///< absolute, as the container sees it
  bool directory = true;
};

/// Makes what is missing in `directory` (empty, dressed like the root) above the layers `lower`,
/// top first. Links are followed inside the tree. Throws os::Error.
void make_mount_points(const std::string& directory, const std::vector<std::string>& lower,
                       const std::vector<MountPoint>& points);

}  // namespace build
