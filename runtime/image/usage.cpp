#include "runtime/image/usage.hpp"

#include "runtime/image/cache_record.hpp"
#include "runtime/image/exclusive.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {

namespace {

/// Each blob's and each layer's bytes, measured once.
class Sizes {
 public:
  Sizes(const Layout& layout, os::DiskUsage& disk) : layout_(layout), disk_(disk) {}

  std::int64_t of(const Reachable& parts) {
    std::int64_t bytes = 0;
    for (const Digest& blob : parts.blobs) bytes += of_path(layout_.blob_path(blob));
    for (const Digest& chain : parts.chains) bytes += of_path(layout_.layer_path(chain));
    return bytes;
  }

 private:
  std::int64_t of_path(const std::string& path) {
    const auto known = sizes_.find(path);
    if (known != sizes_.end()) return known->second;
    return sizes_.emplace(path, disk_.add(path)).first->second;
  }

  const Layout& layout_;
  os::DiskUsage& disk_;
  std::map<std::string, std::int64_t> sizes_;
};

void merge(Reachable& all, const Reachable& more) {
  all.blobs.insert(more.blobs.begin(), more.blobs.end());
  all.chains.insert(more.chains.begin(), more.chains.end());
}

Reachable common(const Reachable& one, const std::map<Digest, int>& blobs,
                 const std::map<Digest, int>& chains) {
  Reachable shared;
  for (const Digest& blob : one.blobs)
    if (blobs.at(blob) > 1) shared.blobs.insert(blob);
  for (const Digest& chain : one.chains)
    if (chains.at(chain) > 1) shared.chains.insert(chain);
  return shared;
}

/// What the steps of builds made, as far as their records say.
Reachable parts_of_cache(const Layout& layout) {
  Reachable parts;
  const std::string directory = cache_directory(layout);
  for (const Digest& key : cache_keys(directory)) {
    const auto record = read_cache_record(directory, key);
    if (!record) continue;
    parts.blobs.insert(record->blob.digest);
    parts.chains.insert(record->chain);
  }
  return parts;
}

}  // namespace

Reachable parts_of_image(const Layout& layout, const Digest& digest) {
  Reachable parts;
  parts.blobs.insert(digest);
  try {
    const Manifest manifest = layout.manifest_of(digest);
    parts.blobs.insert(manifest.config.digest);
    for (const Descriptor& layer : manifest.layers) parts.blobs.insert(layer.digest);
    for (const Digest& chain : chain_ids(layout.config_of(manifest).diff_ids))
      parts.chains.insert(chain);
  } catch (const os::Error&) {
    // A damaged image takes what can be seen of it.
  }
  return parts;
}

StoreUsage measure(const Store& store, const std::set<Digest>& in_use, os::DiskUsage& disk) {
  StoreUsage usage;
  const Layout& layout = store.layout();
  Sizes sizes(layout, disk);
  std::map<Digest, int> blob_users;
  std::map<Digest, int> chain_users;
  std::vector<Reachable> parts;
  Reachable all;
  Reachable active;
  for (Image& image : store.list()) {
    parts.push_back(parts_of_image(layout, image.manifest));
    for (const Digest& blob : parts.back().blobs) ++blob_users[blob];
    for (const Digest& chain : parts.back().chains) ++chain_users[chain];
    merge(all, parts.back());
    if (in_use.contains(image.id)) merge(active, parts.back());
    usage.images.push_back({std::move(image), 0, 0});
  }
  usage.image_bytes = sizes.of(all);
  usage.active_bytes = sizes.of(active);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    usage.images[i].bytes = sizes.of(parts[i]);
    usage.images[i].shared = sizes.of(common(parts[i], blob_users, chain_users));
  }
  const Reachable cached = parts_of_cache(layout);
  for (const Digest& blob : cached.blobs)
    if (!all.blobs.contains(blob)) usage.cache_bytes += disk.add(layout.blob_path(blob));
  for (const Digest& chain : cached.chains)
    if (!all.chains.contains(chain)) usage.cache_bytes += disk.add(layout.layer_path(chain));
  usage.cache_bytes += disk.add(cache_directory(layout));
  return usage;
}

RemoveResult Store::reclaim(const ReclaimOptions& options) {
  if (!wait_exclusive(layout_))
    throw os::Error(EBUSY, "remove what nothing uses: another command works with the images");
  std::vector<Image> candidates;
  Reachable needed;
  std::map<Digest, Reachable> parts;
  for (Image& image : list()) {
    parts[image.manifest] = parts_of_image(layout_, image.manifest);
    const bool wanted = image.names.empty() || options.all;
    const bool old = !options.until || image.created.value_or(Timestamp{}) < *options.until;
    if (wanted && old && !options.in_use.contains(image.id))
      candidates.push_back(std::move(image));  // the newest first, as the list is
    else
      merge(needed, parts[image.manifest]);
  }
  RemoveResult result;
  os::DiskUsage disk;
  Sizes sizes(layout_, disk);
  std::set<Digest> doomed;
  for (const Image& image : candidates) {
    Reachable with = needed;
    merge(with, parts[image.manifest]);
    if (options.keep > 0 && sizes.of(with) <= options.keep) {
      needed = std::move(with);
      continue;
    }
    doomed.insert(image.manifest);
    result.untagged.insert(result.untagged.end(), image.names.begin(), image.names.end());
    result.deleted.push_back(image.id);
  }
  layout_.update_index([&](Index& index) {
    std::erase_if(index.manifests,
                  [&](const Descriptor& entry) { return doomed.contains(entry.digest); });
  });
  collect_garbage();
  return result;
}

}  // namespace image
