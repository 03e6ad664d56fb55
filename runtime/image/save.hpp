// Images out of the store as one archive that all tools read: an OCI image layout and `docker
// save`'s manifest.json in the same tar. The same images give the same bytes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/image/store.hpp"

namespace image {

/// An image with the names that it shall have in the archive (full ones; none at all is allowed).
struct SavedImage {
  Image image;
  std::vector<std::string> names;
};

/// The files that go before the images, by name; for archives that hold more than images.
using ExtraFiles = std::vector<std::pair<std::string, std::string>>;

/// Writes a tar to `fd`. Throws os::Error when a blob is not in the store.
void save_images(const Store& store, const std::vector<SavedImage>& images, int fd,
                 const ExtraFiles& extra = {});

/// The content of the first entry of a tar, if it is a regular file of that name; nothing else of
/// the archive is looked at. Throws os::Error(EFBIG) past `limit` bytes.
std::optional<std::string> read_first_file(const std::string& path, const std::string& name,
                                           std::size_t limit);

}  // namespace image
