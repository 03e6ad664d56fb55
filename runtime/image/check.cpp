#include "runtime/image/check.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "runtime/image/cache_record.hpp"
#include "runtime/image/exclusive.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/transaction.hpp"
#include "runtime/image/usage.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {

namespace {

Digest digest_of_file(const std::string& path) {
  const os::UniqueFd fd = os::open_file(path, O_RDONLY);
  const ByteSource source = read_source(fd.get(), path);
  Hasher hasher;
  for (std::string_view data = source(); !data.empty(); data = source()) hasher.update(data);
  return hasher.finish();
}

class Checker {
 public:
  Checker(Store& store, const CheckOptions& options)
      : store_(store), layout_(store.layout()), options_(options) {}

  std::vector<Finding> run() {
    {
      const auto alone = wait_exclusive(layout_);
      if (!alone) throw os::Error(EBUSY, "check the images: another command works with them");
      check_leftovers();
      check_blobs();
      check_entries();
      check_cache();
    }
    for (const Image& image : damaged_layers_) unpack_again(image);
    return std::move(findings_);
  }

 private:
  void found(std::string what, bool repaired, std::string advice = {}) {
    findings_.push_back({std::move(what), repaired, std::move(advice)});
  }

  void check_leftovers() {
    const auto left = os::list_directory(layout_.temporary_directory());
    if (!left.empty()) {
      found(std::to_string(left.size()) + " unfinished work of commands that are gone", true);
      if (options_.repair) layout_.sweep_temporary();
    }
    // index.json.AB12cd: written beside its place and never renamed.
    for (const std::string& name : os::list_directory(layout_.root())) {
      if (!name.starts_with("index.json.") && !name.starts_with("oci-layout.")) continue;
      found("unfinished file " + name, true);
      if (options_.repair) ::unlink((layout_.root() + "/" + name).c_str());
    }
    for (const std::string& name : os::list_directory(layout_.downloads_directory())) {
      if (!name.ends_with(".lock")) continue;
      if (options_.repair) ::unlink((layout_.downloads_directory() + "/" + name).c_str());
    }
  }

  void check_blobs() {
    for (const std::string& name : os::list_directory(layout_.blob_directory())) {
      const std::string path = layout_.blob_directory() + "/" + name;
      const auto digest = Digest::from_hex(name);
      if (digest && (!options_.read_blobs || digest_of_file(path) == *digest)) continue;
      found("blob " + name + " is damaged: its content has another digest", true);
      if (options_.repair) ::unlink(path.c_str());
      bad_.insert(path);
    }
  }

  bool is_there(const Digest& blob) const {
    return os::exists(layout_.blob_path(blob)) && !bad_.contains(layout_.blob_path(blob));
  }

  /// A build believes a record: what it leads to must be there, whole.
  void check_cache() {
    const std::string directory = cache_directory(layout_);
    for (const std::string& name : os::list_directory(directory)) {
      const auto key = Digest::from_hex(name);
      const auto record = key ? read_cache_record(directory, *key) : std::nullopt;
      if (record && is_there(record->blob.digest) && os::exists(layout_.diff_path(record->chain)))
        continue;
      found(key ? "the record of a build step leads to nothing" : "unfinished file " + name, true);
      if (options_.repair) ::unlink((directory + "/" + name).c_str());
    }
  }

  static std::string name_in_words(const Descriptor& entry) {
    const std::string name = name_of(entry);
    return name.empty() ? entry.digest.text() : Reference::parse(name).familiar();
  }

  void check_entries() {
    std::set<Digest> lost;
    for (const Descriptor& entry : layout_.read_index().manifests) {
      if (!is_manifest(entry.media_type)) continue;
      try {
        check_image(entry);
      } catch (const os::Error& error) {
        found("image " + name_in_words(entry) + " cannot be read: " + error.what(), true,
              "pull, load or build it again");
        lost.insert(entry.digest);
      }
    }
    if (lost.empty() || !options_.repair) return;
    layout_.update_index([&](Index& index) {
      std::erase_if(index.manifests,
                    [&](const Descriptor& entry) { return lost.contains(entry.digest); });
    });
  }

  void check_image(const Descriptor& entry) {
    const Manifest manifest = layout_.manifest_of(entry.digest);
    const ImageConfig config = layout_.config_of(manifest);
    const std::vector<Digest> chains = chain_ids(config.diff_ids);
    bool missing_layer = false;
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
      const bool blob = is_there(manifest.layers[i].digest);
      const bool layer = i < chains.size() && os::exists(layout_.diff_path(chains[i]));
      const std::string which =
          "layer " + std::to_string(i + 1) + " of image " + name_in_words(entry);
      if (!layer && !blob) throw os::Error(which + " is gone");
      if (!layer) {
        found(which + " is not unpacked", true);
        missing_layer = true;
      } else if (!blob) {
        found("the blob of " + which + " is gone: it runs, but cannot be pushed or saved", false,
              "pull or build it again");
      }
    }
    if (!missing_layer || !options_.repair) return;
    if (const auto image = store_.find(entry.digest.text())) damaged_layers_.push_back(*image);
  }

  void unpack_again(const Image& image) {
    Transaction transaction(layout_);
    const Manifest manifest = layout_.manifest_of(image.manifest);
    const std::vector<Digest> chains = chain_ids(image.diff_ids);
    for (std::size_t i = 0; i < chains.size(); ++i) {
      if (transaction.has_layer(chains[i])) continue;
      const std::string path = layout_.blob_path(manifest.layers[i].digest);
      const os::UniqueFd fd = os::open_file(path, O_RDONLY);
      transaction.add_layer({chains.begin(), chains.begin() + static_cast<std::ptrdiff_t>(i)},
                            read_source(fd.get(), path), image.diff_ids[i], {});
    }
    transaction.commit();
  }

  Store& store_;
  const Layout& layout_;
  const CheckOptions& options_;
  std::vector<Finding> findings_;
  std::set<std::string> bad_;
  std::vector<Image> damaged_layers_;
};

}  // namespace

std::vector<Finding> check_store(Store& store, const CheckOptions& options) {
  return Checker(store, options).run();
}

}  // namespace image
