#include "runtime/image/store.hpp"

#include <algorithm>
#include <map>

#include "runtime/image/reference.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::size_t kHexLength = 64;

/// The hexadecimal digits of an id or the beginning of one; nothing when `text` cannot be that.
std::optional<std::string_view> id_prefix(std::string_view text) {
  if (text.starts_with("sha256:")) text.remove_prefix(7);
  const bool hex = text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!hex || text.empty() || text.size() > kHexLength) return std::nullopt;
  return text;
}

/// Whether an entry is what `digest` means: the image, or the index that it was pulled from.
bool has_digest(const Descriptor& entry, const Digest& digest) {
  if (entry.digest == digest) return true;
  const auto pulled = entry.annotations.find(kPulledDigestAnnotation);
  return pulled != entry.annotations.end() && pulled->second == digest.text();
}

bool is_name_in(const std::string& name, const std::string& repository) {
  return name.starts_with(repository) && name.size() > repository.size() &&
         (name[repository.size()] == ':' || name[repository.size()] == '@');
}

/// The manifest that `reference` names in `index`, nothing when none.
std::optional<Digest> find_name(const Index& index, const Reference& reference) {
  for (const Descriptor& entry : index.manifests) {
    const std::string name = name_of(entry);
    if (name.empty()) continue;
    // The digest decides where there is one; the repository must be the same all the same.
    const bool matches = reference.digest ? has_digest(entry, *reference.digest) &&
                                                is_name_in(name, reference.repository())
                                          : name == reference.text();
    if (matches) return entry.digest;
  }
  return std::nullopt;
}

Image read_image(const Layout& layout, const Index& index, const Digest& digest) {
  Image image;
  image.manifest = digest;
  const Manifest manifest = layout.manifest_of(digest);
  image.id = manifest.config.digest;
  image.config = layout.config_of(manifest);
  image.created = image.config.created;
  image.diff_ids = image.config.diff_ids;
  for (const Descriptor& layer : manifest.layers) image.size += layer.size;
  for (const Descriptor& entry : index.manifests)
    if (entry.digest == digest && !name_of(entry).empty()) image.names.push_back(name_of(entry));
  std::sort(image.names.begin(), image.names.end());
  return image;
}

/// Every image's manifest and id, each manifest once.
std::map<Digest, Digest> ids_of(const Layout& layout, const Index& index) {
  std::map<Digest, Digest> ids;
  for (const Descriptor& entry : index.manifests)
    if (is_manifest(entry.media_type) && !ids.contains(entry.digest))
      ids[entry.digest] = layout.manifest_of(entry.digest).config.digest;
  return ids;
}

std::optional<Digest> find_id(const Layout& layout, const Index& index, std::string_view prefix,
                              const std::string& asked) {
  std::optional<Digest> found;
  Digest found_id;
  for (const auto& [manifest, id] : ids_of(layout, index)) {
    if (manifest.hex() == prefix) return manifest;
    if (!id.hex().starts_with(prefix)) continue;
    if (found && found_id != id)
      throw os::Error("'" + asked + "' is the beginning of several image ids");
    found = manifest;
    found_id = id;
  }
  return found;
}

}  // namespace

Store::Store(std::string root) : layout_(std::move(root)) { layout_.create(); }

std::optional<Image> Store::find(std::string_view text) const {
  const Index index = layout_.read_index();
  const auto prefix = id_prefix(text);
  const bool surely_id = prefix && (text.starts_with("sha256:") || prefix->size() == kHexLength);
  if (!surely_id) {
    if (const auto manifest = find_name(index, Reference::parse(text)))
      return read_image(layout_, index, *manifest);
  }
  if (prefix) {
    if (const auto manifest = find_id(layout_, index, *prefix, std::string(text)))
      return read_image(layout_, index, *manifest);
  }
  return std::nullopt;
}

std::vector<Image> Store::list() const {
  const Index index = layout_.read_index();
  std::vector<Image> images;
  for (const auto& [manifest, id] : ids_of(layout_, index))
    images.push_back(read_image(layout_, index, manifest));
  std::stable_sort(images.begin(), images.end(), [](const Image& left, const Image& right) {
    return left.created.value_or(Timestamp{}) > right.created.value_or(Timestamp{});
  });
  return images;
}

void Store::tag(const Image& image, const std::string& name) {
  const Reference reference = Reference::parse(name);
  if (reference.digest) throw os::Error("a tag cannot name a digest: '" + name + "'");
  const auto use = layout_.use();
  layout_.update_index([&](Index& index) {
    const auto entry =
        std::find_if(index.manifests.begin(), index.manifests.end(),
                     [&](const Descriptor& each) { return each.digest == image.manifest; });
    if (entry == index.manifests.end()) throw os::Error("No such image: " + image.id.text());
    put_entry(index, *entry, reference.text());
  });
}

std::vector<std::string> Store::layer_directories(const Image& image) const {
  std::vector<std::string> directories;
  for (const Digest& chain : chain_ids(image.diff_ids)) {
    directories.push_back(layout_.diff_path(chain));
    if (!os::exists(directories.back()))
      throw os::Error(ENOENT, "find layer '" + directories.back() + "'");
  }
  std::reverse(directories.begin(), directories.end());
  return directories;
}

os::FileLock Store::hold() const { return layout_.use(); }

os::FileLock Store::claim() const {
  return os::FileLock::acquire_shared(layout_.root() + "/claims.lock");
}

os::FileLock Store::claims_excluded() const {
  return os::FileLock::acquire(layout_.root() + "/claims.lock");
}

}  // namespace image
