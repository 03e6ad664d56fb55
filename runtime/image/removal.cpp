// Store::remove and Store::prune: first the index forgets, then what nobody names is deleted.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "runtime/image/cache_record.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/store.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr int kMaxIndexDepth = 4;

void mark_manifest(const Layout& layout, const Digest& digest, Reachable& reachable) {
  const Manifest manifest = layout.manifest_of(digest);
  reachable.blobs.insert(manifest.config.digest);
  for (const Descriptor& layer : manifest.layers) reachable.blobs.insert(layer.digest);
  for (const Digest& chain : chain_ids(layout.config_of(manifest).diff_ids))
    reachable.chains.insert(chain);
}

void mark(const Layout& layout, const Descriptor& entry, int depth, Reachable& reachable) {
  if (!reachable.blobs.insert(entry.digest).second) return;
  if (is_manifest(entry.media_type)) {
    mark_manifest(layout, entry.digest, reachable);
  } else if (is_index(entry.media_type)) {
    if (depth == 0) throw os::Error("an image index is nested too deeply");
    for (const Descriptor& child : parse_index(layout.read_document(entry.digest)).manifests)
      if (os::exists(layout.blob_path(child.digest))) mark(layout, child, depth - 1, reachable);
  }
}

/// What builds may use again.
void mark_cache(const Layout& layout, Reachable& reachable) {
  const std::string directory = cache_directory(layout);
  for (const Digest& key : cache_keys(directory)) {
    const auto record = read_cache_record(directory, key);
    if (!record) continue;
    reachable.blobs.insert(record->blob.digest);
    reachable.chains.insert(record->chain);
  }
}

/// All that one image needs; as much of it as can be read.
void mark_image(const Layout& layout, const Digest& manifest, Reachable& reachable) {
  reachable.blobs.insert(manifest);
  mark_manifest(layout, manifest, reachable);
}

bool has_entry(const Index& index, const Digest& manifest) {
  return std::any_of(index.manifests.begin(), index.manifests.end(),
                     [&](const Descriptor& entry) { return entry.digest == manifest; });
}

void drop_entries(Index& index, const Digest& manifest) {
  std::erase_if(index.manifests, [&](const Descriptor& entry) { return entry.digest == manifest; });
}

}  // namespace

RemoveResult Store::remove(const std::string& reference, bool force,
                           const std::set<Digest>& in_use) {
  const auto image = find(reference);
  if (!image) throw os::Error("No such image: " + reference);
  // What find() took for a name is one of the image's names; else it was an id.
  std::string name;
  try {
    name = Reference::parse(reference).text();
  } catch (const os::Error&) {
    // An id of 64 digits is no name.
  }
  const bool by_name =
      std::find(image->names.begin(), image->names.end(), name) != image->names.end();
  Reachable doomed;
  mark_image(layout_, image->manifest, doomed);
  RemoveResult result =
      by_name ? remove_name(*image, name, force, in_use) : remove_image(*image, force, in_use);
  collect_garbage(&doomed);
  return result;
}

RemoveResult Store::remove_name(const Image& image, const std::string& name, bool force,
                                const std::set<Digest>& in_use) {
  if (image.names.size() == 1 && !force && in_use.contains(image.id))
    throw os::Error("conflict: unable to remove '" + name +
                    "' (must be forced): a container is using image " + image.id.short_id());
  RemoveResult result;
  layout_.update_index([&](Index& index) {
    take_name(index, name);
    result.untagged.push_back(name);
    const bool named =
        std::any_of(index.manifests.begin(), index.manifests.end(), [&](const Descriptor& entry) {
          return entry.digest == image.manifest && !name_of(entry).empty();
        });
    if (named || in_use.contains(image.id)) return;
    drop_entries(index, image.manifest);
    result.deleted.push_back(image.id);
  });
  return result;
}

RemoveResult Store::remove_image(const Image& image, bool force, const std::set<Digest>& in_use) {
  if (image.names.size() > 1 && !force)
    throw os::Error("conflict: unable to delete " + image.id.short_id() +
                    " (must be forced): it has several names");
  if (in_use.contains(image.id) && !force)
    throw os::Error("conflict: unable to delete " + image.id.short_id() +
                    " (must be forced): a container is using it");
  RemoveResult result;
  layout_.update_index([&](Index& index) {
    for (const std::string& name : image.names) {
      take_name(index, name);
      result.untagged.push_back(name);
    }
    if (in_use.contains(image.id)) return;
    drop_entries(index, image.manifest);
    result.deleted.push_back(image.id);
  });
  return result;
}

RemoveResult Store::prune(const std::set<Digest>& in_use) {
  RemoveResult result;
  for (const Image& image : list()) {
    if (!image.names.empty() || in_use.contains(image.id)) continue;
    layout_.update_index([&](Index& index) {
      const bool still_nameless = std::none_of(
          index.manifests.begin(), index.manifests.end(), [&](const Descriptor& entry) {
            return entry.digest == image.manifest && !name_of(entry).empty();
          });
      if (!still_nameless || !has_entry(index, image.manifest)) return;
      drop_entries(index, image.manifest);
      result.deleted.push_back(image.id);
    });
  }
  collect_garbage();
  return result;
}

void Store::collect_garbage(const Reachable* doomed) {
  const auto exclusive = layout_.try_exclusive();
  if (!exclusive) return;  // somebody is at work: the next removal takes what is left now
  Reachable reachable;
  for (const Descriptor& entry : layout_.read_index().manifests)
    mark(layout_, entry, kMaxIndexDepth, reachable);
  mark_cache(layout_, reachable);
  for (const std::string& name : os::list_directory(layout_.layers_directory())) {
    const auto chain = Digest::from_hex(name);
    if (!chain || reachable.chains.contains(*chain)) continue;
    if (doomed != nullptr && !doomed->chains.contains(*chain)) continue;
    // Out of its place first: what is there is always complete.
    const std::string away = layout_.temporary_directory() + "/" + name;
    os::check(::rename(layout_.layer_path(*chain).c_str(), away.c_str()),
              [&] { return "move layer '" + name + "' away"; });
  }
  for (const std::string& name : os::list_directory(layout_.blob_directory())) {
    const auto digest = Digest::from_hex(name);
    if (digest && reachable.blobs.contains(*digest)) continue;
    // What a pull has brought so far waits for its next try.
    if (doomed != nullptr && (!digest || !doomed->blobs.contains(*digest))) continue;
    ::unlink((layout_.blob_directory() + "/" + name).c_str());
  }
  layout_.sweep_temporary();
  if (doomed != nullptr) return;
  for (const std::string& name : os::list_directory(layout_.downloads_directory()))
    ::unlink((layout_.downloads_directory() + "/" + name).c_str());
}

}  // namespace image
