#include "runtime/image/pull.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "runtime/image/download.hpp"
#include "runtime/image/transaction.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {

namespace {

/// overlayfs takes no more lower layers.
constexpr std::size_t kMaxLayers = 500;
constexpr int kMaxIndexDepth = 4;
constexpr int kUnpackTries = 3;

std::string name_for(const Reference& reference) {
  if (!reference.digest) return reference.text();
  return reference.repository() + "@" + reference.digest->text();
}

/// Threads that fetch, a few blobs at a time, in order.
class Fetchers {
 public:
  Fetchers(std::vector<Download*> downloads, unsigned parallel) : downloads_(std::move(downloads)) {
    const std::size_t count = std::min<std::size_t>(std::max(1U, parallel), downloads_.size());
    for (std::size_t i = 0; i < count; ++i)
      threads_.emplace_back([this] {
        for (std::size_t next = 0; (next = next_++) < downloads_.size();) downloads_[next]->run();
      });
  }
  Fetchers(const Fetchers&) = delete;
  Fetchers& operator=(const Fetchers&) = delete;
  ~Fetchers() {
    if (!done_)
      for (Download* download : downloads_) download->cancel();
    next_ = downloads_.size();
    for (std::thread& thread : threads_) thread.join();
  }
  /// All have come: nothing is to be given up.
  void finish() { done_ = true; }

 private:
  std::vector<Download*> downloads_;
  std::atomic<std::size_t> next_{0};
  std::vector<std::thread> threads_;
  bool done_ = false;
};

/// Adds up what the downloads have, for one listener.
class Meter {
 public:
  Meter(std::int64_t total, std::function<void(std::int64_t, std::int64_t)> listener)
      : total_(total), listener_(std::move(listener)) {}
  void set(const Digest& digest, std::int64_t size) {
    if (!listener_) return;
    const std::lock_guard lock(mutex_);
    std::int64_t& own = sizes_[digest];
    done_ += size - own;
    own = size;
    listener_(done_, total_);
  }

 private:
  std::int64_t total_;
  std::function<void(std::int64_t, std::int64_t)> listener_;
  std::mutex mutex_;
  std::map<Digest, std::int64_t> sizes_;
  std::int64_t done_ = 0;
};

class Puller {
 public:
  Puller(Store& store, const Reference& reference, const PullOptions& options)
      : store_(store),
        layout_(store.layout()),
        reference_(reference),
        options_(options),
        registry_(options.registry, reference, Access::pull),
        transaction_(layout_) {}

  PullResult run() {
    const auto before = entry_of_name();
    const Document top =
        registry_.manifest(reference_.digest ? reference_.digest->text() : reference_.tag);
    PullResult result;
    result.digest = top.descriptor.digest;
    const Document chosen = choose(top, kMaxIndexDepth);
    if (!is_manifest(chosen.descriptor.media_type)) refuse_type(chosen.descriptor.media_type);
    result.changed = !before || *before != chosen.descriptor.digest;
    const Manifest manifest = parse_manifest(chosen.data);
    if (manifest.config.media_type != media_type::kConfig &&
        manifest.config.media_type != media_type::kDockerConfig)
      throw os::Error(reference_.familiar() + " is no image to run: its configuration is of type " +
                      manifest.config.media_type);
    const ImageConfig config = fetch_config(manifest.config);
    check_layers(manifest, config);
    result.other_platform =
        !platform_rank(config.platform, options_.platform.value_or(host_platform()));
    if (result.other_platform && options_.platform)
      throw os::Error("no image for " + options_.platform->text() + "; there is only one for " +
                      config.platform.text());
    fetch_layers(manifest, config);
    commit(chosen, top.descriptor.digest, config);
    auto image = store_.find(chosen.descriptor.digest.text());
    if (!image) throw os::Error(reference_.familiar() + " was removed right after it was pulled");
    result.image = *std::move(image);
    return result;
  }

 private:
  std::optional<Digest> entry_of_name() const {
    const std::string name = name_for(reference_);
    for (const Descriptor& entry : layout_.read_index().manifests)
      if (name_of(entry) == name) return entry.digest;
    return std::nullopt;
  }

  [[noreturn]] void refuse_type(const std::string& type) const {
    const bool old = type.find("distribution.manifest.v1") != std::string::npos;
    throw os::Error(reference_.familiar() + ": " +
                    (old ? "schema version 1 is not supported; push the image again with a "
                           "current tool"
                         : "what the registry sends is of type '" + type + "', which is no image"));
  }

  Document choose(const Document& document, int depth) {
    if (!is_index(document.descriptor.media_type)) return document;
    if (depth == 0) throw os::Error("an image index is nested too deeply");
    const Index index = parse_index(document.data);
    const Descriptor chosen = choose_platform(index, options_.platform.value_or(host_platform()));
    Document next = registry_.manifest(chosen.digest.text());
    if (next.descriptor.size != chosen.size)
      throw os::Error("manifest " + chosen.digest.text() + " has " +
                      std::to_string(next.descriptor.size) + " bytes where " +
                      std::to_string(chosen.size) + " are announced");
    return choose(next, depth - 1);
  }

  ImageConfig fetch_config(const Descriptor& descriptor) {
    if (descriptor.size > static_cast<std::int64_t>(kMaxDocument))
      throw os::Error(
          EFBIG, "read an image configuration of " + std::to_string(descriptor.size) + " bytes");
    Download download(layout_, registry_, descriptor);
    download.run();
    download.wait();
    const StagedFile file = staged(download);
    const std::string text = os::read_file(file.path, kMaxDocument);
    if (!download.was_there()) transaction_.add_blob(file);
    if (Digest::of(text) != descriptor.digest)
      throw os::Error("'" + file.path + "' is damaged: its content has another digest");
    return parse_config(text);
  }

  /// Where the file is now: another pull may have put the same blob in its place.
  StagedFile staged(const Download& download) const {
    StagedFile file = download.file();
    if (!os::exists(file.path)) file.path = layout_.blob_path(file.digest);
    return file;
  }

  static void check_layers(const Manifest& manifest, const ImageConfig& config) {
    if (manifest.layers.size() != config.diff_ids.size())
      throw os::Error("the image has " + std::to_string(manifest.layers.size()) + " layers and " +
                      std::to_string(config.diff_ids.size()) + " diff ids");
    if (manifest.layers.size() > kMaxLayers)
      throw os::Error("the image has more than " + std::to_string(kMaxLayers) + " layers");
  }

  void fetch_layers(const Manifest& manifest, const ImageConfig& config) {
    std::map<Digest, std::unique_ptr<Download>> downloads;
    std::vector<Download*> order;
    std::int64_t total = 0;
    for (const Descriptor& layer : manifest.layers) total += layer.size;
    Meter meter(total, options_.progress);
    for (const Descriptor& layer : manifest.layers) {
      auto& download = downloads[layer.digest];
      if (download) continue;
      download = std::make_unique<Download>(
          layout_, registry_, layer,
          [&meter, digest = layer.digest](std::int64_t size) { meter.set(digest, size); });
      order.push_back(download.get());
    }
    Fetchers fetchers(order, options_.parallel);
    const std::vector<Digest> chains = chain_ids(config.diff_ids);
    for (std::size_t i = 0; i < chains.size(); ++i)
      unpack(*downloads.at(manifest.layers[i].digest), chains, i, config.diff_ids[i]);
    for (Download* download : order) {
      download->wait();
      if (!download->was_there()) transaction_.add_blob(download->file());
    }
    fetchers.finish();
  }

  /// The lock is kept until the layer is in its place: who needs the same layer waits for it. All
  /// lock from the base upwards, so that no two wait for each other.
  void unpack(Download& download, const std::vector<Digest>& chains, std::size_t i,
              const Digest& diff_id) {
    const std::string name = "layer " + download.blob().digest.text();
    if (layer_locks_.empty() || !transaction_.has_layer(chains[i]))
      layer_locks_.push_back(os::FileLock::acquire(layout_.downloads_directory() + "/" +
                                                   chains[i].hex() + ".layer.lock"));
    // A layer that is there is unpacked again when its blob is another: only that shows that the
    // blob holds what the image says.
    if (transaction_.has_layer(chains[i]) && os::exists(layout_.blob_path(download.blob().digest)))
      return;
    const std::vector<Digest> below(chains.begin(),
                                    chains.begin() + static_cast<std::ptrdiff_t>(i));
    for (int tried = 1;; ++tried) {
      const int beginnings = download.beginnings();
      try {
        transaction_.add_layer(below, download.source(), diff_id, options_.limits);
        return;
      } catch (const os::Error& error) {
        // What it stumbled over may be what the digest is going to refuse.
        download.wait();
        if (download.beginnings() == beginnings || tried == kUnpackTries) throw error.in(name);
      }
    }
  }

  void commit(const Document& chosen, const Digest& pulled, const ImageConfig& config) {
    Descriptor entry = transaction_.add_document(chosen.data, chosen.descriptor.media_type);
    entry.platform = config.platform;
    entry.annotations[kPulledDigestAnnotation] = pulled.text();
    entry.annotations[kPulledAtAnnotation] = format_timestamp(std::chrono::system_clock::now());
    transaction_.add_image(entry, name_for(reference_));
    transaction_.commit();
    for (const Digest& chain : chain_ids(config.diff_ids))
      ::unlink((layout_.downloads_directory() + "/" + chain.hex() + ".layer.lock").c_str());
  }

  Store& store_;
  const Layout& layout_;
  const Reference& reference_;
  const PullOptions& options_;
  Registry registry_;
  Transaction transaction_;
  std::vector<os::FileLock> layer_locks_;
};

}  // namespace

PullResult pull(Store& store, const Reference& reference, const PullOptions& options) {
  return Puller(store, reference, options).run();
}

std::optional<PullRecord> pull_record(const Store& store, const Reference& reference) {
  const std::string name = name_for(reference);
  for (const Descriptor& entry : store.layout().read_index().manifests) {
    const auto digest = entry.annotations.find(kPulledDigestAnnotation);
    if (name_of(entry) != name || digest == entry.annotations.end()) continue;
    const auto parsed = Digest::try_parse(digest->second);
    if (!parsed) return std::nullopt;
    PullRecord record{*parsed, std::nullopt};
    if (const auto at = entry.annotations.find(kPulledAtAnnotation); at != entry.annotations.end())
      record.at = parse_timestamp(at->second);
    return record;
  }
  return std::nullopt;
}

}  // namespace image
