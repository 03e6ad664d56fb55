#include "runtime/build/registry_cache.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <set>
#include <vector>

#include "runtime/image/download.hpp"
#include "runtime/image/json.hpp"
#include "runtime/image/parallel.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {

namespace {

constexpr std::string_view kRecordsType = "application/vnd.stack.buildcache.records.v1+json";
constexpr const char* kMountAnnotation = "stack.cache-mount";
constexpr unsigned kParallel = 4;

std::string format_records(const std::map<image::Digest, image::CacheRecord>& records) {
  image::Json object = image::Json::object();
  for (const auto& [key, record] : records) object[key.hex()] = image::to_json(record);
  return image::dump({{"records", std::move(object)}});
}

std::map<image::Digest, image::CacheRecord> parse_records(const std::string& text) {
  const image::Json document = image::parse_object(text, "the records of a build cache");
  std::map<image::Digest, image::CacheRecord> records;
  for (const auto& [key, value] : image::object_at(document, "records").items())
    if (const auto digest = image::Digest::from_hex(key))
      records.emplace(*digest, image::cache_record(value));
  return records;
}

class RegistryCache final : public SharedCache {
 public:
  RegistryCache(const std::string& name, const image::Layout& layout,
                const image::RegistryOptions& options)
      : layout_(layout), registry_(options, image::Reference::parse(name), image::Access::pull) {
    const image::Reference& reference = registry_.repository();
    const image::Document document =
        registry_.manifest(reference.digest ? reference.digest->text() : reference.tag);
    if (!image::is_manifest(document.descriptor.media_type)) refuse();
    const image::Manifest manifest = image::parse_manifest(document.data);
    if (manifest.config.media_type != kRecordsType) refuse();
    if (manifest.config.size > static_cast<std::int64_t>(image::kMaxDocument))
      throw os::Error(EFBIG, "read the records of a build cache");
    const auto records = download(manifest.config);
    records_ = parse_records(os::read_file(records->file().path, image::kMaxDocument));
    if (!records->was_there()) ::unlink(records->file().path.c_str());
    for (const image::Descriptor& layer : manifest.layers)
      if (const auto key = layer.annotations.find(kMountAnnotation); key != layer.annotations.end())
        mounts_[key->second] = layer;
  }

  std::optional<image::CacheRecord> find(const image::Digest& key) const override {
    const auto found = records_.find(key);
    if (found == records_.end()) return std::nullopt;
    return found->second;
  }

  image::StagedFile fetch(const image::Descriptor& layer, const std::string& path) override {
    const auto fetched = download(layer);
    image::StagedFile file = fetched->file();
    if (!fetched->was_there() && ::rename(file.path.c_str(), path.c_str()) == 0) {
      file.path = path;
      return file;
    }
    // The store has the blob, or somebody else who waited for it has taken it there.
    const std::string stored = layout_.blob_path(layer.digest);
    const os::UniqueFd fd = os::open_file(stored, O_RDONLY);
    return copy_layer(fd.get(), stored, layer, path);
  }

  os::UniqueFd open_mount(const std::string& key, const std::string& path) override {
    const auto found = mounts_.find(key);
    if (found == mounts_.end()) return {};
    return os::open_file(fetch(found->second, path).path, O_RDONLY);
  }

 private:
  [[noreturn]] void refuse() const {
    throw os::Error(registry_.repository().familiar() + " is no build cache that stack has made");
  }

  std::unique_ptr<image::Download> download(const image::Descriptor& blob) {
    auto result = std::make_unique<image::Download>(layout_, registry_, blob);
    result->run();
    result->wait();
    return result;
  }

  const image::Layout& layout_;
  image::Registry registry_;
  std::map<image::Digest, image::CacheRecord> records_;
  std::map<std::string, image::Descriptor> mounts_;
};

/// A blob to send and the file that it is in.
struct Part {
  image::Descriptor blob;
  std::string path;
};

Part describe_mount(const std::string& key, const std::string& path) {
  const os::UniqueFd fd = os::open_file(path, O_RDONLY);
  image::Hasher hasher;
  Part part{.blob = {std::string(image::media_type::kLayer), {}, 0, std::nullopt, {}},
            .path = path};
  const image::ByteSource bytes = image::read_source(fd.get(), path);
  for (std::string_view data = bytes(); !data.empty(); data = bytes()) {
    hasher.update(data);
    part.blob.size += static_cast<std::int64_t>(data.size());
  }
  part.blob.digest = hasher.finish();
  part.blob.annotations[kMountAnnotation] = key;
  return part;
}

}  // namespace

std::unique_ptr<SharedCache> open_registry_cache(const std::string& name,
                                                 const image::Layout& layout,
                                                 const image::RegistryOptions& options) {
  return std::make_unique<RegistryCache>(name, layout, options);
}

void write_registry_cache(const std::string& name, const CacheContent& content,
                          const image::Layout& layout, const image::RegistryOptions& options) {
  std::vector<Part> parts;
  std::set<image::Digest> seen;
  for (const auto& [key, record] : content.records)
    if (seen.insert(record.blob.digest).second)
      parts.push_back({record.blob, layout.blob_path(record.blob.digest)});
  for (const auto& [key, path] : content.mounts) parts.push_back(describe_mount(key, path));
  if (parts.empty()) return;
  const os::TempDir directory;
  const std::string records = format_records(content.records);
  const std::string path = directory.path() + "/records";
  os::write_file_atomic(path, records);
  image::Manifest manifest;
  for (const Part& part : parts) manifest.layers.push_back(part.blob);
  manifest.config = {std::string(kRecordsType),
                     image::Digest::of(records),
                     static_cast<std::int64_t>(records.size()),
                     std::nullopt,
                     {}};
  parts.push_back({manifest.config, path});
  const image::Reference reference = image::Reference::parse(name);
  if (reference.digest) throw os::Error("a cache is written to a tag, not to a digest");
  image::Registry registry(options, reference, image::Access::push);
  image::parallel_each(parts.size(), kParallel, [&](std::size_t i) {
    if (registry.has_blob(parts[i].blob.digest)) return;
    const os::UniqueFd fd = os::open_file(parts[i].path, O_RDONLY);
    registry.upload_blob(parts[i].blob, fd.get(), {});
  });
  image::Descriptor descriptor;
  descriptor.media_type = manifest.media_type;
  registry.put_manifest(reference.tag, descriptor, image::format_manifest(manifest));
}

}  // namespace build
