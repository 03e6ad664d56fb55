// Store::import_tar: a tar stream becomes an image of one layer, or one more layer on another
// image.
#include "runtime/image/change.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/store.hpp"
#include "runtime/image/transaction.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

/// What the new layer goes on: nothing, or an image.
struct Base {
  ImageConfig config;
  std::vector<Descriptor> layers;
};

/// OCI's name for what Docker calls by its own; others stay.
std::string oci_layer_type(const std::string& type) {
  const std::string docker = "application/vnd.docker.image.rootfs.diff.tar";
  if (!type.starts_with(docker)) return type;
  const std::string compression = type.substr(docker.size());
  return std::string(media_type::kLayer) + (compression.empty() ? "" : "+" + compression.substr(1));
}

Base read_base(const Store& store, const Layout& layout, const std::string& name) {
  const auto image = store.find(name);
  if (!image) throw os::Error("No such image: " + name);
  Base base{image->config, layout.manifest_of(image->manifest).layers};
  for (Descriptor& layer : base.layers) layer.media_type = oci_layer_type(layer.media_type);
  return base;
}

bool has_media_type(const std::string& compression) {
  return compression.empty() || compression == "gzip" || compression == "zstd";
}

/// Unpacks the stream and keeps it as a blob, in one pass: as it came, or uncompressed where OCI
/// has no media type for the compression.
Descriptor add_layer(Transaction& transaction, int fd, const Limits& limits, ImageConfig& config) {
  BlobWriter blob(transaction.new_path());
  const ByteSource input = read_source(fd, "the archive");
  // The first bytes tell the compression; they go in front of the rest again.
  auto head = std::make_shared<std::string>();
  while (head->size() < kMagicLength) {
    const std::string_view bytes = input();
    if (bytes.empty()) break;
    head->append(bytes);
  }
  if (head->empty()) throw os::Error("the archive is empty");
  const bool as_it_came = has_media_type(detect_compression(*head));
  ByteSource source = [input, head, given = false]() mutable -> std::string_view {
    if (std::exchange(given, true)) return input();
    return *head;
  };
  if (as_it_came) {
    source = blob.tee(std::move(source));
  } else {
    auto plain = std::make_shared<Decompressor>(std::move(source), limits.ratio);
    source = blob.tee([plain] { return plain->next(); });
  }
  const LayerSummary summary =
      transaction.add_layer(chain_ids(config.diff_ids), source, Digest(), limits);
  const StagedFile file = blob.finish();
  transaction.add_blob(file);
  config.diff_ids.push_back(summary.diff_id);
  const std::string type = std::string(media_type::kLayer) +
                           (summary.compression.empty() ? "" : "+" + summary.compression);
  return {type, file.digest, file.size, std::nullopt, {}};
}

}  // namespace

Image Store::import_tar(int fd, const std::string& reference, const ImportOptions& options) {
  std::string name;
  if (!reference.empty()) {
    const Reference parsed = Reference::parse(reference);
    if (parsed.digest) throw os::Error("cannot import as a digest: '" + reference + "'");
    name = parsed.text();
  }
  Transaction transaction(layout_);
  Base base;
  if (!options.base.empty()) base = read_base(*this, layout_, options.base);
  ImageConfig config = base.config;
  if (options.platform) {
    config.platform = *options.platform;
  } else if (options.base.empty()) {
    config.platform = host_platform();
  }
  config.created = options.created.value_or(std::chrono::system_clock::now());
  apply_changes(config, options.changes);  // before the long work: a mistake shows at once
  Manifest manifest;
  manifest.layers = base.layers;
  manifest.layers.push_back(add_layer(transaction, fd, options.limits, config));
  config.history.push_back({config.created, "", "",
                            options.message.empty() ? "Imported from -" : options.message, false});
  manifest.config = transaction.add_document(format_config(config), media_type::kConfig);
  Descriptor entry = transaction.add_document(format_manifest(manifest), media_type::kManifest);
  entry.platform = config.platform;
  transaction.add_image(entry, name);
  transaction.commit();
  auto image = find(entry.digest.text());
  if (!image) throw os::Error("image '" + name + "' was removed right after its import");
  return *std::move(image);
}

}  // namespace image
