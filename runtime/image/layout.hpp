// The store's directory: what lies where, and its documents read with every check. The index is the
// truth about which images there are; it is replaced as a whole, so readers need no lock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/image/config.hpp"
#include "runtime/image/digest.hpp"
#include "runtime/image/manifest.hpp"
#include "runtime/os/file.hpp"

namespace image {

class Layout {
 public:
  explicit Layout(std::string root) : root_(std::move(root)) {}

  /// Makes what is missing; directories have mode 0700, for layers hold set-user-ID programs.
  void create() const;

  const std::string& root() const noexcept { return root_; }
  std::string blob_directory() const { return root_ + "/blobs/sha256"; }
  std::string blob_path(const Digest& digest) const {
    return blob_directory() + "/" + digest.hex();
  }
  std::string layers_directory() const { return root_ + "/layers"; }
  std::string layer_path(const Digest& chain) const {
    return layers_directory() + "/" + chain.hex();
  }
  /// A complete layer, for overlayfs.
  std::string diff_path(const Digest& chain) const { return layer_path(chain) + "/diff"; }
  std::string temporary_directory() const { return root_ + "/tmp"; }
  /// What comes from registries, kept until it is a blob: a pull that was cut off goes on there.
  std::string downloads_directory() const { return root_ + "/downloads"; }

  /// A manifest or configuration, checked against its digest. Throws os::Error.
  std::string read_document(const Digest& digest) const;
  Manifest manifest_of(const Digest& digest) const;
  ImageConfig config_of(const Manifest& manifest) const;

  Index read_index() const;
  /// Changes the index while nobody else does; synced when this returns.
  void update_index(const std::function<void(Index&)>& change) const;

  /// Keeps everything from being deleted while it is held.
  os::FileLock use() const;
  /// For deleting; nothing while somebody uses the store.
  std::optional<os::FileLock> try_exclusive() const;
  /// Removes what an interrupted command left in the temporary directory. Needs try_exclusive().
  void sweep_temporary() const;

 private:
  std::string root_;
};

/// The chain ids of layers with these diff ids, base first.
std::vector<Digest> chain_ids(const std::vector<Digest>& diff_ids);

/// Of an entry that came from a registry: the digest that its name had there (an index's, perhaps),
/// and when that was looked up.
inline constexpr const char* kPulledDigestAnnotation = "dev.stack.pulled.digest";
inline constexpr const char* kPulledAtAnnotation = "dev.stack.pulled.at";

/// The full name of an index entry; empty when it has none.
std::string name_of(const Descriptor& entry);
/// Gives `name` to the image of `entry` (nameless when empty). Whoever had the name loses it and
/// stays as a nameless entry when that was its last.
void put_entry(Index& index, Descriptor entry, const std::string& name);
/// Takes the name away, in the same way.
void take_name(Index& index, const std::string& name);

}  // namespace image
