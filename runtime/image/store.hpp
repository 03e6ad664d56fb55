// The images of this machine: an OCI image layout (image-layout.md) and beside it every layer
// unpacked once, ready for overlayfs.
//
//   ROOT/oci-layout, index.json      one entry per name, the full name as its ref.name annotation;
//                                    an entry without a name is an image that lost its last one
//   ROOT/blobs/sha256/HEX            manifests, configurations, layers as they were received
//   ROOT/layers/CHAIN/diff           a layer unpacked on top of those below it; its existence means
//                                    that it is complete and verified
//   ROOT/downloads/HEX.part, .whole  of a registry's blobs, what has come; HEX.lock: by whom
//   ROOT/tmp/                        work in progress, swept by the next exclusive user
//   ROOT/lock, index.lock            shared: somebody works; exclusive: the sweep. Index: a change
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/config.hpp"
#include "runtime/image/digest.hpp"
#include "runtime/image/layout.hpp"
#include "runtime/image/limits.hpp"
#include "runtime/image/platform.hpp"
#include "runtime/os/file.hpp"

namespace image {

/// An image as the store knows it.
struct Image {
  Digest id;                       ///< of its configuration, as Docker counts
  Digest manifest;                 ///< of its manifest
  std::vector<std::string> names;  ///< full: "docker.io/library/nginx:latest"; sorted
  ImageConfig config;
  std::int64_t size = 0;  ///< bytes of its layers as stored
  std::optional<Timestamp> created;
  std::vector<Digest> diff_ids;  ///< base first
};

/// Everything that some images need.
struct Reachable {
  std::set<Digest> blobs;
  std::set<Digest> chains;
};

struct ImportOptions {
  std::vector<std::string> changes;  ///< Dockerfile instructions, see change.hpp
  std::string message;               ///< for the history
  std::string base;                  ///< an image to lay the new layer on; none when empty
  std::optional<Platform> platform;  ///< the host's when absent
  std::optional<Timestamp> created;  ///< now when absent
  Limits limits;
};

struct LoadOptions {
  std::optional<Platform> platform;  ///< of an index, which image; the host's when absent
  Limits limits;
};

struct RemoveResult {
  std::vector<std::string> untagged;  ///< full names
  std::vector<Digest> deleted;        ///< ids of images that are gone
};

struct ReclaimOptions {
  bool all = false;                ///< also images that have a name
  std::optional<Timestamp> until;  ///< only images created before
  std::int64_t keep = 0;           ///< bytes of images that may stay, the newest ones
  std::set<Digest> in_use;         ///< ids of images that must stay
};

/// Safe to use from several processes at once. Errors are os::Error.
class Store {
 public:
  /// Makes the layout when it is missing; `root` is an absolute path.
  explicit Store(std::string root);

  /// By name, name:tag, name@digest (of the manifest), "sha256:…" or an unambiguous prefix of the
  /// id. Names win over ids. Throws when a prefix fits several images or the name is malformed.
  std::optional<Image> find(std::string_view reference_or_id) const;
  /// All images, those most recently created first.
  std::vector<Image> list() const;

  /// Makes an image of one layer from a tar stream, plain or compressed (gzip, zstd, xz, bzip2), in
  /// one pass. `reference` may be empty: the image then has no name.
  Image import_tar(int fd, const std::string& reference, const ImportOptions& options = {});
  /// Takes images from an archive: `docker save`'s, or an OCI layout in a tar; compressed or not.
  /// Returns the full names loaded, "sha256:…" for an image without one.
  std::vector<std::string> load(int fd, const LoadOptions& options = {});
  /// The same from a file, or from a directory that holds an OCI layout.
  std::vector<std::string> load(const std::string& path, const LoadOptions& options = {});

  /// Gives `image` another name; the name leaves the image that had it.
  void tag(const Image& image, const std::string& reference);
  /// Takes away a name (or, given an id, all names) and with the last one the image, and the blobs
  /// and layers that no other image uses. Throws when there is no such image, and without `force`
  /// when its id is in `in_use` or an id has several names. An image in use stays as a nameless
  /// one.
  RemoveResult remove(const std::string& reference, bool force, const std::set<Digest>& in_use);
  /// Deletes nameless images that are not in use and everything that no image uses.
  RemoveResult prune(const std::set<Digest>& in_use);

  /// Deletes images that nothing uses, the oldest first, and everything that no image uses, what
  /// has come of interrupted pulls included. Throws os::Error(EBUSY) while somebody works with the
  /// store. Needs claims_excluded().
  RemoveResult reclaim(const ReclaimOptions& options);

  /// The unpacked layers, the top one first: absolute paths for overlayfs's lowerdir.
  std::vector<std::string> layer_directories(const Image& image) const;
  /// Keeps every image, blob and layer from being deleted for as long as it is held.
  os::FileLock hold() const;
  /// Keeps images from being removed from the index: to be held from finding an image until it is
  /// written down who uses it, and no longer.
  os::FileLock claim() const;
  /// Nobody is between these two while it is held: to be held from reading what is in use until
  /// remove(), prune() or reclaim() has returned.
  os::FileLock claims_excluded() const;

  const std::string& root() const noexcept { return layout_.root(); }
  /// Where things lie in it, for those who bring images in and out.
  const Layout& layout() const noexcept { return layout_; }

 private:
  RemoveResult remove_name(const Image& image, const std::string& name, bool force,
                           const std::set<Digest>& in_use);
  RemoveResult remove_image(const Image& image, bool force, const std::set<Digest>& in_use);
  /// `doomed`: only of these what no image uses; all of it when absent.
  void collect_garbage(const Reachable* doomed = nullptr);

  Layout layout_;
};

}  // namespace image
