// The layers of one build: those of the store, those just made, and which step made which. Steps of
// several stages use it at once.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/build/layer_tar.hpp"
#include "runtime/build/shared_cache.hpp"
#include "runtime/image/cache_record.hpp"
#include "runtime/image/layout.hpp"
#include "runtime/image/store.hpp"
#include "runtime/image/transaction.hpp"

namespace build {

/// A root file system: its layers, base first.
struct Root {
  std::vector<image::Digest> diff_ids;
  std::vector<image::Descriptor> blobs;
  /// The digest of all of it; empty without layers.
  image::Digest chain() const;
};

/// A directory that becomes a layer.
struct Staging {
  std::string layer;  ///< goes into the store
  std::string upper;  ///< its content
  std::string work;   ///< for overlayfs, on the same file system
};

class Workspace {
 public:
  explicit Workspace(image::Store& store);

  image::Store& store() noexcept { return store_; }
  /// The layers of an image of the store.
  Root root_of(const image::Image& image) const;
  /// The unpacked layers, top first.
  std::vector<std::string> directories(const Root& root);
  /// A path for a file or directory that goes with the build.
  std::string temporary();
  /// Empty directories for a layer on `below`, dressed like the root below.
  Staging stage(const Root& below);

  /// To take from what the store does not have.
  void add_shared_cache(std::unique_ptr<SharedCache> cache) { shared_.push_back(std::move(cache)); }
  /// What a cache mount of this key holds on another machine; nothing when no cache has it.
  os::UniqueFd open_shared_mount(const std::string& key);
  /// All records that this build made or used.
  std::map<image::Digest, image::CacheRecord> used() const;

  /// What a step of this key made earlier, where it is still all there.
  std::optional<image::CacheRecord> find(const image::Digest& key, const Root& below);
  /// Makes the staged directory the next layer of `root` and remembers it under `key`.
  image::CacheRecord finish(const Staging& staging, Root& root, const image::Digest& key,
                            LatestTime latest, image::Timestamp created);
  /// Adds a layer that is there to `root`.
  static void append(Root& root, const image::CacheRecord& record);

  /// Waits until nobody else of this build runs a step of this key, then holds it.
  class KeyLock {
   public:
    KeyLock(Workspace& workspace, image::Digest key);
    ~KeyLock();
    KeyLock(const KeyLock&) = delete;
    KeyLock& operator=(const KeyLock&) = delete;

   private:
    Workspace& workspace_;
    image::Digest key_;
  };

  /// Writes the image and names it; it is in the store after commit(). Returns its manifest.
  image::Descriptor add_image(const Root& root, image::ImageConfig config,
                              const std::vector<std::string>& names);
  /// Puts everything that was made into the store, then the records of the cache.
  void commit();

 private:
  bool is_whole(const image::CacheRecord& record, const Root& below) const;
  std::optional<image::CacheRecord> find_here(const image::Digest& key, const Root& below);
  std::optional<image::CacheRecord> find_shared(const image::Digest& key, const Root& below);
  bool take(SharedCache& cache, const image::CacheRecord& record, const Root& below);

  image::Store& store_;
  image::Layout layout_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<SharedCache>> shared_;
  std::map<image::Digest, image::CacheRecord> used_;  ///< all steps of this build
  image::Transaction transaction_;
  std::map<image::Digest, image::CacheRecord> made_;
  bool changed_ = false;  ///< an image was added
  std::set<image::Digest> busy_;
  std::condition_variable freed_;
};

}  // namespace build
