#include "runtime/image/push.hpp"

#include <fcntl.h>

#include "runtime/image/parallel.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {

namespace {

class Pusher {
 public:
  Pusher(const Store& store, const Image& image, const Reference& reference,
         const PushOptions& options)
      : layout_(store.layout()),
        hold_(store.hold()),
        reference_(reference),
        options_(options),
        registry_(options.registry, reference, Access::push),
        data_(layout_.read_document(image.manifest)),
        manifest_(parse_manifest(data_)) {
    result_.digest = image.manifest;
    result_.size = static_cast<std::int64_t>(data_.size());
  }

  PushResult run() {
    collect_blobs();
    find_neighbours();
    parallel_each(blobs_.size(), options_.parallel, [this](std::size_t i) { send(blobs_[i]); });
    Descriptor descriptor;
    descriptor.media_type = manifest_.media_type;
    registry_.put_manifest(reference_.tag, descriptor, data_);
    return result_;
  }

 private:
  void add(const Descriptor& blob) {
    for (const Descriptor& each : blobs_)
      if (each.digest == blob.digest) return;
    if (!os::exists(layout_.blob_path(blob.digest)))
      throw os::Error("blob " + blob.digest.text() + " of the image is not in the store");
    total_ += blob.size;
    blobs_.push_back(blob);
  }

  void collect_blobs() {
    // Layers that nobody may give on stay where their URLs say.
    for (const Descriptor& layer : manifest_.layers)
      if (!is_nondistributable(layer.media_type)) add(layer);
    add(manifest_.config);
  }

  /// Other repositories of the same registry that have, as far as we know, a blob of ours.
  void find_neighbours() {
    for (const Descriptor& entry : layout_.read_index().manifests) {
      const std::string name = name_of(entry);
      if (name.empty() || !is_manifest(entry.media_type)) continue;
      const Reference other = Reference::parse(name);
      if (other.host != reference_.host || other.path == reference_.path) continue;
      for (const Descriptor& layer : layout_.manifest_of(entry.digest).layers)
        neighbours_.emplace(layer.digest, other.path);
    }
  }

  void send(const Descriptor& blob) {
    const auto neighbour = neighbours_.find(blob.digest);
    if (!registry_.has_blob(blob.digest) &&
        (neighbour == neighbours_.end() || !registry_.mount_blob(blob.digest, neighbour->second))) {
      const os::UniqueFd fd = os::open_file(layout_.blob_path(blob.digest), O_RDONLY);
      registry_.upload_blob(blob, fd.get(), [&](std::int64_t size) { report(blob.digest, size); });
      const std::lock_guard lock(mutex_);
      result_.sent += blob.size;
    }
    report(blob.digest, blob.size);
  }

  void report(const Digest& digest, std::int64_t size) {
    const std::lock_guard lock(mutex_);
    std::int64_t& own = sent_[digest];
    done_ += size - own;
    own = size;
    if (options_.progress) options_.progress(done_, total_);
  }

  const Layout& layout_;
  os::FileLock hold_;
  const Reference& reference_;
  const PushOptions& options_;
  Registry registry_;
  std::string data_;
  Manifest manifest_;
  PushResult result_;
  std::vector<Descriptor> blobs_;
  std::map<Digest, std::string> neighbours_;
  std::int64_t total_ = 0;
  std::mutex mutex_;
  std::map<Digest, std::int64_t> sent_;
  std::int64_t done_ = 0;
};

}  // namespace

PushResult push(const Store& store, const Image& image, const Reference& reference,
                const PushOptions& options) {
  if (reference.tag.empty() || reference.digest)
    throw os::Error("cannot push a digest: '" + reference.familiar() + "'; give a tag");
  return Pusher(store, image, reference, options).run();
}

}  // namespace image
