// Store::load: images from an OCI layout (image-layout.md) or from what `docker save` writes.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "runtime/image/archive.hpp"
#include "runtime/image/json.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/store.hpp"
#include "runtime/image/transaction.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

/// overlayfs takes no more lower layers.
constexpr std::size_t kMaxLayers = 500;
constexpr int kMaxIndexDepth = 4;

/// What `docker save` lists in manifest.json.
struct SavedImage {
  std::string config;
  std::vector<std::string> names;
  std::vector<std::string> layers;
};

std::vector<SavedImage> parse_saved_images(const std::string& text) {
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_array()) throw os::Error("manifest.json is not a JSON array");
  std::vector<SavedImage> images;
  for (const Json& element : document) {
    if (!element.is_object()) throw os::Error("manifest.json must hold objects");
    images.push_back({string_at(element, "Config"), strings_at(element, "RepoTags"),
                      strings_at(element, "Layers")});
  }
  return images;
}

/// The full name that an index entry carries. A bare tag, as some tools write it, is none.
std::vector<std::string> names_in(const Descriptor& entry) {
  for (const auto annotation : {kContainerdNameAnnotation, kRefNameAnnotation}) {
    const auto found = entry.annotations.find(std::string(annotation));
    if (found == entry.annotations.end()) continue;
    if (found->second.find_first_of(":/") == std::string::npos) continue;
    return {Reference::parse(found->second).text()};
  }
  return {};
}

class Loader {
 public:
  Loader(const Layout& layout, const LoadOptions& options)
      : transaction_(layout),
        limits_(options.limits),
        platform_(options.platform ? *options.platform : host_platform()) {}

  Transaction& transaction() { return transaction_; }

  std::vector<std::string> load(Archive& archive) {
    archive_ = &archive;
    const auto saved = archive.read("manifest.json");
    if (saved) saved_ = parse_saved_images(*saved);
    const auto index = archive.read("index.json");
    if (index && archive.read("oci-layout")) {
      load_index(parse_index(*index));
    } else if (saved) {
      for (const SavedImage& image : saved_) load_saved(image);
    } else {
      throw os::Error(
          "it is no image archive: neither index.json with oci-layout nor "
          "manifest.json is in it");
    }
    if (loaded_.empty()) throw os::Error("the archive holds no image that can be run");
    transaction_.commit();
    return loaded_;
  }

 private:
  void load_index(const Index& index) {
    for (const Descriptor& entry : index.manifests) {
      // An archive may list what it leaves out: other platforms, attestations.
      if (!archive_->stage(blob_name(entry.digest))) continue;
      if (is_index(entry.media_type)) {
        const Descriptor manifest = choose(parse_index(document(entry)), kMaxIndexDepth);
        load_manifest(manifest, names_in(entry));
      } else if (is_manifest(entry.media_type)) {
        load_manifest(entry, names_in(entry));
      }
    }
  }

  Descriptor choose(const Index& index, int depth) {
    const Descriptor& chosen = choose_platform(index, platform_);
    if (!is_index(chosen.media_type)) return chosen;
    if (depth == 0) throw os::Error("an image index is nested too deeply");
    return choose(parse_index(document(chosen)), depth - 1);
  }

  void load_manifest(Descriptor entry, std::vector<std::string> names) {
    const StagedFile file = blob(entry);
    const Manifest manifest = parse_manifest(document(entry));
    const bool runnable = manifest.config.media_type == media_type::kConfig ||
                          manifest.config.media_type == media_type::kDockerConfig;
    if (!runnable) return;  // an artifact: nothing to run in it
    const ImageConfig config = parse_config(document(manifest.config));
    transaction_.add_blob(blob(manifest.config));
    load_layers(manifest.layers, config);
    transaction_.add_blob(file);
    for (const SavedImage& saved : saved_) {
      if (saved.config != blob_name(manifest.config.digest)) continue;
      for (const std::string& name : saved.names) names.push_back(Reference::parse(name).text());
    }
    entry.annotations.clear();
    entry.platform = config.platform;
    add_image(entry, std::move(names), manifest.config.digest);
  }

  void load_layers(const std::vector<Descriptor>& layers, const ImageConfig& config) {
    if (layers.size() != config.diff_ids.size())
      throw os::Error("the image has " + std::to_string(layers.size()) + " layers and " +
                      std::to_string(config.diff_ids.size()) + " diff ids");
    if (layers.size() > kMaxLayers)
      throw os::Error("the image has more than " + std::to_string(kMaxLayers) + " layers");
    const std::vector<Digest> chains = chain_ids(config.diff_ids);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (transaction_.has_layer(chains[i]) && transaction_.has_blob(layers[i].digest)) continue;
      const StagedFile file = blob(layers[i]);
      const os::UniqueFd fd = os::open_file(file.path, O_RDONLY);
      // A layer that is there already is unpacked again when its blob is another: only that shows
      // that the blob holds what the image says.
      transaction_.add_layer({chains.begin(), chains.begin() + static_cast<std::ptrdiff_t>(i)},
                             read_source(fd.get(), "layer " + layers[i].digest.text()),
                             config.diff_ids[i], limits_);
      transaction_.add_blob(file);
    }
  }

  void load_saved(const SavedImage& saved) {
    const auto file = archive_->stage(saved.config);
    const auto text = archive_->read(saved.config);
    if (!file || !text) throw os::Error("'" + saved.config + "' is missing in the archive");
    const ImageConfig config = parse_config(*text);
    Manifest manifest;
    manifest.config = {
        std::string(media_type::kConfig), file->digest, file->size, std::nullopt, {}};
    for (const std::string& path : saved.layers) manifest.layers.push_back(saved_layer(path));
    transaction_.add_blob(*file);
    load_layers(manifest.layers, config);
    Descriptor entry = transaction_.add_document(format_manifest(manifest), media_type::kManifest);
    entry.platform = config.platform;
    std::vector<std::string> names;
    for (const std::string& name : saved.names) names.push_back(Reference::parse(name).text());
    add_image(entry, std::move(names), manifest.config.digest);
  }

  Descriptor saved_layer(const std::string& path) {
    const auto file = archive_->stage(path);
    if (!file) throw os::Error("'" + path + "' is missing in the archive");
    staged_.emplace(file->digest, *file);
    const os::UniqueFd fd = os::open_file(file->path, O_RDONLY);
    const std::string compression =
        detect_compression(read_source(fd.get(), path)().substr(0, kMagicLength));
    return {std::string(media_type::kLayer) + (compression.empty() ? "" : "+" + compression),
            file->digest,
            file->size,
            std::nullopt,
            {}};
  }

  void add_image(const Descriptor& entry, std::vector<std::string> names, const Digest& id) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    if (names.empty()) {
      transaction_.add_image(entry, "");
      names.push_back(id.text());
    } else {
      for (const std::string& name : names) transaction_.add_image(entry, name);
    }
    for (const std::string& name : names)
      if (std::find(loaded_.begin(), loaded_.end(), name) == loaded_.end()) loaded_.push_back(name);
  }

  static std::string blob_name(const Digest& digest) { return "blobs/sha256/" + digest.hex(); }

  /// The file that `descriptor` means, checked.
  StagedFile blob(const Descriptor& descriptor) {
    if (const auto known = staged_.find(descriptor.digest); known != staged_.end())
      return known->second;
    const auto file = archive_->stage(blob_name(descriptor.digest));
    if (!file) throw os::Error("blob " + descriptor.digest.text() + " is missing in the archive");
    if (file->digest != descriptor.digest)
      throw os::Error("blob " + descriptor.digest.text() + " is damaged: its digest is " +
                      file->digest.text());
    if (file->size != descriptor.size)
      throw os::Error("blob " + descriptor.digest.text() + " has " + std::to_string(file->size) +
                      " bytes where " + std::to_string(descriptor.size) + " are announced");
    return *file;
  }

  std::string document(const Descriptor& descriptor) {
    return os::read_file(blob(descriptor).path, kMaxDocument);
  }

  Transaction transaction_;
  Limits limits_;
  Platform platform_;
  Archive* archive_ = nullptr;
  std::vector<SavedImage> saved_;
  std::map<Digest, StagedFile> staged_;  ///< found under another name than their digest's
  std::vector<std::string> loaded_;
};

}  // namespace

std::vector<std::string> Store::load(int fd, const LoadOptions& options) {
  Loader loader(layout_, options);
  const auto archive =
      open_tar_archive(loader.transaction(), read_source(fd, "the archive"), options.limits);
  return loader.load(*archive);
}

std::vector<std::string> Store::load(const std::string& path, const LoadOptions& options) try {
  os::UniqueFd fd = os::open_file(path, O_RDONLY);
  struct stat status {};
  os::check(::fstat(fd.get(), &status), [&] { return "look at '" + path + "'"; });
  if (!S_ISDIR(status.st_mode)) return load(fd.get(), options);
  Loader loader(layout_, options);
  const auto archive = open_directory_archive(loader.transaction(), std::move(fd));
  return loader.load(*archive);
} catch (const os::Error& error) {
  throw error.in("load '" + path + "'");
}

}  // namespace image
