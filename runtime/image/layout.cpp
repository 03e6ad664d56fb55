#include "runtime/image/layout.hpp"

#include <algorithm>

#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::string_view kLayoutFile = "{\"imageLayoutVersion\":\"1.0.0\"}";

void strip_name(Descriptor& entry) {
  entry.annotations.erase(std::string(kRefNameAnnotation));
  entry.annotations.erase(std::string(kContainerdNameAnnotation));
}

/// Keeps one nameless entry of an image at most, and none beside a named one.
void drop_needless_entries(Index& index) {
  std::vector<Descriptor> kept;
  const auto has = [](const std::vector<Descriptor>& entries, const Digest& digest, bool named) {
    return std::any_of(entries.begin(), entries.end(), [&](const Descriptor& entry) {
      return entry.digest == digest && (!named || !name_of(entry).empty());
    });
  };
  for (const Descriptor& entry : index.manifests) {
    if (name_of(entry).empty() &&
        (has(index.manifests, entry.digest, true) || has(kept, entry.digest, false)))
      continue;
    kept.push_back(entry);
  }
  index.manifests = std::move(kept);
}

}  // namespace

void Layout::create() const {
  os::make_directories(root_, 0700);
  os::make_directories(blob_directory(), 0700);
  os::make_directories(layers_directory(), 0700);
  os::make_directories(temporary_directory(), 0700);
  os::make_directories(downloads_directory(), 0700);
  if (!os::exists(root_ + "/index.json")) update_index([](Index&) {});
  if (!os::exists(root_ + "/oci-layout"))
    os::write_file_atomic(root_ + "/oci-layout", kLayoutFile, 0600, os::Durability::synced);
}

std::string Layout::read_document(const Digest& digest) const {
  std::string data = os::read_file(blob_path(digest), kMaxDocument);
  if (Digest::of(data) != digest)
    throw os::Error("'" + blob_path(digest) + "' is damaged: its content has another digest");
  return data;
}

Manifest Layout::manifest_of(const Digest& digest) const {
  return parse_manifest(read_document(digest));
}

ImageConfig Layout::config_of(const Manifest& manifest) const {
  return parse_config(read_document(manifest.config.digest));
}

Index Layout::read_index() const {
  const auto text = os::read_file_if_exists(root_ + "/index.json");
  try {
    return text ? parse_index(*text) : Index();
  } catch (const os::Error& error) {
    throw error.in("'" + root_ + "/index.json'");
  }
}

void Layout::update_index(const std::function<void(Index&)>& change) const {
  const os::FileLock lock = os::FileLock::acquire(root_ + "/index.lock");
  Index index = read_index();
  change(index);
  os::write_file_atomic(root_ + "/index.json", format_index(index), 0600, os::Durability::synced);
}

os::FileLock Layout::use() const { return os::FileLock::acquire_shared(root_ + "/lock"); }

std::optional<os::FileLock> Layout::try_exclusive() const {
  return os::FileLock::try_acquire(root_ + "/lock");
}

void Layout::sweep_temporary() const {
  for (const std::string& name : os::list_directory(temporary_directory()))
    os::remove_tree(temporary_directory() + "/" + name);
}

std::vector<Digest> chain_ids(const std::vector<Digest>& diff_ids) {
  std::vector<Digest> chains;
  for (const Digest& diff : diff_ids)
    chains.push_back(chain_id(chains.empty() ? Digest() : chains.back(), diff));
  return chains;
}

std::string name_of(const Descriptor& entry) {
  const auto found = entry.annotations.find(std::string(kRefNameAnnotation));
  return found == entry.annotations.end() ? std::string() : found->second;
}

void take_name(Index& index, const std::string& name) {
  for (Descriptor& entry : index.manifests)
    if (name_of(entry) == name) strip_name(entry);
  drop_needless_entries(index);
}

void put_entry(Index& index, Descriptor entry, const std::string& name) {
  strip_name(entry);
  if (!name.empty()) {
    take_name(index, name);
    entry.annotations[std::string(kRefNameAnnotation)] = name;
    entry.annotations[std::string(kContainerdNameAnnotation)] = name;
  }
  index.manifests.push_back(std::move(entry));
  drop_needless_entries(index);
}

}  // namespace image
