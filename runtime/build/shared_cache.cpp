#include "runtime/build/shared_cache.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "runtime/build/registry_cache.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {

namespace {

void copy_file(const std::string& from, const std::string& to) {
  const std::string part = to + ".part" + std::to_string(::getpid());
  const os::UniqueFd source = os::open_file(from, O_RDONLY);
  const os::UniqueFd target = os::open_file(part, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const image::ByteSource bytes = image::read_source(source.get(), from);
  for (std::string_view data = bytes(); !data.empty(); data = bytes())
    os::write_all(target.get(), data, part);
  os::check(::rename(part.c_str(), to.c_str()), [&] { return "rename '" + part + "'"; });
}

class DirectoryCache final : public SharedCache {
 public:
  explicit DirectoryCache(std::string directory) : directory_(std::move(directory)) {
    if (!os::exists(directory_ + "/records"))
      throw os::Error("there is no build cache in '" + directory_ + "'");
  }

  std::optional<image::CacheRecord> find(const image::Digest& key) const override {
    return image::read_cache_record(directory_ + "/records", key);
  }
  image::StagedFile fetch(const image::Descriptor& layer, const std::string& path) override {
    const std::string from = directory_ + "/blobs/sha256/" + layer.digest.hex();
    const os::UniqueFd fd = os::open_file(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    return copy_layer(fd.get(), from, layer, path);
  }
  os::UniqueFd open_mount(const std::string& key, const std::string& /*path*/) override {
    const std::string from = directory_ + "/mounts/" + key;
    if (!os::exists(from)) return {};
    return os::open_file(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

 private:
  std::string directory_;
};

void write_directory(const std::string& directory, const CacheContent& content,
                     const image::Layout& layout) {
  os::make_directories(directory + "/blobs/sha256", 0755);
  os::make_directories(directory + "/records", 0755);
  for (const auto& [key, record] : content.records) {
    const std::string blob = directory + "/blobs/sha256/" + record.blob.digest.hex();
    if (!os::exists(blob)) copy_file(layout.blob_path(record.blob.digest), blob);
    image::write_cache_record(directory + "/records", key, record);
  }
  if (!content.mounts.empty()) os::make_directories(directory + "/mounts", 0755);
  for (const auto& [key, tar] : content.mounts) copy_file(tar, directory + "/mounts/" + key);
}

}  // namespace

image::StagedFile copy_layer(int fd, const std::string& from, const image::Descriptor& layer,
                             const std::string& path) {
  image::BlobWriter blob(path);
  const image::ByteSource bytes = image::read_source(fd, from);
  std::int64_t size = 0;
  for (std::string_view data = bytes(); !data.empty(); data = bytes()) {
    size += static_cast<std::int64_t>(data.size());
    if (size > layer.size) throw os::Error(EFBIG, "read '" + from + "'");
    blob.write(data);
  }
  return blob.finish();
}

std::unique_ptr<SharedCache> open_shared_cache(const CacheLocation& location,
                                               const image::Layout& layout,
                                               const image::RegistryOptions& registry) {
  if (location.kind == CacheLocation::Kind::directory)
    return std::make_unique<DirectoryCache>(location.place);
  return open_registry_cache(location.place, layout, registry);
}

void write_shared_cache(const CacheLocation& location, const CacheContent& content,
                        const image::Layout& layout, const image::RegistryOptions& registry) {
  if (location.kind == CacheLocation::Kind::directory)
    write_directory(location.place, content, layout);
  else
    write_registry_cache(location.place, content, layout, registry);
}

}  // namespace build
