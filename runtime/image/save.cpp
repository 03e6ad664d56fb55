#include "runtime/image/save.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>

#include "runtime/image/json.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/tar_stream.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {

namespace {

constexpr const char* kOciLayout = "{\"imageLayoutVersion\":\"1.0.0\"}";

std::string blob_name(const Digest& digest) { return "blobs/sha256/" + digest.hex(); }

/// A tar that says nothing of when, where and by whom it was made.
class TarWriter {
 public:
  explicit TarWriter(int fd) : archive_(archive_write_new()) {
    if (!archive_) throw os::Error(ENOMEM, "start to write an archive");
    archive_write_set_format_pax_restricted(archive_.get());
    check(archive_write_open_fd(archive_.get(), fd));
  }

  void directory(const std::string& name) { begin(name, AE_IFDIR | 0755U, 0); }
  void file(const std::string& name, std::string_view content) {
    begin(name, AE_IFREG | 0644U, static_cast<std::int64_t>(content.size()));
    write(content);
  }
  void file_from(const std::string& name, const std::string& path) {
    const os::UniqueFd fd = os::open_file(path, O_RDONLY);
    struct stat status {};
    os::check(::fstat(fd.get(), &status), [&] { return "look at '" + path + "'"; });
    begin(name, AE_IFREG | 0644U, status.st_size);
    const ByteSource source = read_source(fd.get(), path);
    for (std::string_view data = source(); !data.empty(); data = source()) write(data);
  }
  void finish() { check(archive_write_close(archive_.get())); }

 private:
  struct Free {
    void operator()(archive* writer) const noexcept { archive_write_free(writer); }
  };
  struct FreeEntry {
    void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
  };

  void check(la_ssize_t result) {
    if (result >= 0) return;
    const int errnum = archive_errno(archive_.get());
    throw os::Error(errnum == 0 ? EIO : errnum, "write the archive");
  }
  void begin(const std::string& name, unsigned mode, std::int64_t size) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_mode(entry.get(), mode);
    archive_entry_set_size(entry.get(), size);
    archive_entry_set_mtime(entry.get(), 0, 0);
    check(archive_write_header(archive_.get(), entry.get()));
  }
  void write(std::string_view data) {
    while (!data.empty()) {
      const la_ssize_t n = archive_write_data(archive_.get(), data.data(), data.size());
      check(n);
      if (n == 0) throw os::Error("write the archive: a blob is longer than it was");
      data.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  std::unique_ptr<archive, Free> archive_;
};

/// What goes into the archive's documents for one image.
struct Parts {
  Descriptor entry;
  Manifest manifest;
};

Parts parts_of(const Layout& layout, const Image& image) {
  Parts parts;
  const std::string data = layout.read_document(image.manifest);
  parts.manifest = parse_manifest(data);
  parts.entry.media_type = parts.manifest.media_type;
  parts.entry.digest = image.manifest;
  parts.entry.size = static_cast<std::int64_t>(data.size());
  parts.entry.platform = image.config.platform;
  return parts;
}

void add_to_index(Index& index, const Parts& parts, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    Descriptor entry = parts.entry;
    const Reference reference = Reference::parse(name);
    entry.annotations[std::string(kContainerdNameAnnotation)] = name;
    if (!reference.tag.empty()) entry.annotations[std::string(kRefNameAnnotation)] = reference.tag;
    index.manifests.push_back(std::move(entry));
  }
  if (names.empty()) index.manifests.push_back(parts.entry);
}

Json docker_entry(const Parts& parts, const std::vector<std::string>& names) {
  Json tags = Json::array();
  for (const std::string& name : names) {
    const Reference reference = Reference::parse(name);
    if (!reference.digest) tags.push_back(reference.familiar());
  }
  Json layers = Json::array();
  for (const Descriptor& layer : parts.manifest.layers) layers.push_back(blob_name(layer.digest));
  return {{"Config", blob_name(parts.manifest.config.digest)},
          {"RepoTags", std::move(tags)},
          {"Layers", std::move(layers)}};
}

}  // namespace

void save_images(const Store& store, const std::vector<SavedImage>& images, int fd,
                 const ExtraFiles& extra) {
  const os::FileLock hold = store.hold();
  const Layout& layout = store.layout();
  Index index;
  Json docker = Json::array();
  std::set<Digest> blobs;
  for (const SavedImage& saved : images) {
    const Parts parts = parts_of(layout, saved.image);
    add_to_index(index, parts, saved.names);
    docker.push_back(docker_entry(parts, saved.names));
    blobs.insert(parts.entry.digest);
    blobs.insert(parts.manifest.config.digest);
    for (const Descriptor& layer : parts.manifest.layers) blobs.insert(layer.digest);
  }
  for (const Digest& blob : blobs)
    if (!os::exists(layout.blob_path(blob)))
      throw os::Error("blob " + blob.text() + " is not in the store; `stack doctor` says more");
  TarWriter tar(fd);
  for (const auto& [name, content] : extra) tar.file(name, content);
  tar.directory("blobs/");
  tar.directory("blobs/sha256/");
  for (const Digest& blob : blobs) tar.file_from(blob_name(blob), layout.blob_path(blob));
  tar.file("index.json", format_index(index));
  tar.file("manifest.json", dump(docker));
  tar.file("oci-layout", kOciLayout);
  tar.finish();
}

std::optional<std::string> read_first_file(const std::string& path, const std::string& name,
                                           std::size_t limit) {
  const os::UniqueFd fd = os::open_file(path, O_RDONLY);
  const Utf8Locale locale;
  TarStream stream(read_source(fd.get(), path), Limits());
  archive_entry* entry = stream.next();
  if (entry == nullptr || archive_entry_filetype(entry) != AE_IFREG) return std::nullopt;
  const char* found = archive_entry_pathname(entry);
  if (found == nullptr || found != name) return std::nullopt;
  std::string content;
  while (const auto block = stream.next_block()) {
    if (content.size() + block->data.size() > limit)
      throw os::Error(EFBIG, "read '" + name + "' of '" + path + "'");
    content += block->data;
  }
  return content;
}

}  // namespace image
