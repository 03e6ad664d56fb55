#include "runtime/image/manifest.hpp"

#include <algorithm>
#include <limits>

#include "runtime/image/json.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::string_view kAttestation = "attestation-manifest";
/// Of an entry without a platform: only the image's configuration could tell, so it comes last.
constexpr std::size_t kUnnamedRank = std::numeric_limits<std::size_t>::max() - 1;

Descriptor read_descriptor(const Json& object) {
  if (!object.is_object()) throw os::Error("a descriptor is not an object");
  Descriptor descriptor;
  descriptor.media_type = string_at(object, "mediaType");
  descriptor.digest = Digest::parse(string_at(object, "digest"));
  descriptor.size = integer_at(object, "size");
  if (descriptor.size < 0) throw os::Error("a descriptor's size is negative");
  descriptor.annotations = string_map_at(object, "annotations");
  descriptor.urls = strings_at(object, "urls");
  if (const Json& platform = object_at(object, "platform"); !platform.is_null())
    descriptor.platform = normalise({string_at(platform, "os"), string_at(platform, "architecture"),
                                     string_at(platform, "variant")});
  return descriptor;
}

Json write_descriptor(const Descriptor& descriptor) {
  Json object{{"mediaType", descriptor.media_type},
              {"digest", descriptor.digest.text()},
              {"size", descriptor.size}};
  if (descriptor.platform) {
    object["platform"] = {{"os", descriptor.platform->os},
                          {"architecture", descriptor.platform->architecture}};
    if (!descriptor.platform->variant.empty())
      object["platform"]["variant"] = descriptor.platform->variant;
  }
  if (!descriptor.annotations.empty()) object["annotations"] = descriptor.annotations;
  if (!descriptor.urls.empty()) object["urls"] = descriptor.urls;
  return object;
}

/// Schema 1 has no digests worth the name, so nobody should run it any more.
void check_schema(const Json& document) {
  const std::int64_t version = integer_at(document, "schemaVersion");
  if (version == 1)
    throw os::Error("schema version 1 is not supported; push the image again with a current tool");
  if (version != 2) throw os::Error("schemaVersion must be 2");
}

bool is_attestation(const Descriptor& descriptor) {
  const auto type = descriptor.annotations.find("vnd.docker.reference.type");
  if (type != descriptor.annotations.end() && type->second == kAttestation) return true;
  return descriptor.platform && descriptor.platform->os == "unknown";
}

}  // namespace

bool is_index(std::string_view type) {
  return type == media_type::kIndex || type == media_type::kDockerIndex;
}

bool is_manifest(std::string_view type) {
  return type == media_type::kManifest || type == media_type::kDockerManifest;
}

bool is_nondistributable(std::string_view type) {
  return type.find(".nondistributable.") != std::string_view::npos ||
         type.find(".foreign.") != std::string_view::npos;
}

Manifest parse_manifest(std::string_view json) try {
  const Json document = parse_object(json, "it");
  check_schema(document);
  Manifest manifest;
  manifest.media_type = string_at(document, "mediaType");
  if (manifest.media_type.empty()) manifest.media_type = media_type::kManifest;
  if (!is_manifest(manifest.media_type))
    throw os::Error("media type '" + manifest.media_type + "' is not that of a manifest");
  const Json& config = object_at(document, "config");
  if (config.is_null()) throw os::Error("property 'config' is missing");
  manifest.config = read_descriptor(config);
  for (const Json& layer : array_at(document, "layers"))
    manifest.layers.push_back(read_descriptor(layer));
  manifest.annotations = string_map_at(document, "annotations");
  return manifest;
} catch (const os::Error& error) {
  throw error.in("read an image manifest");
}

Index parse_index(std::string_view json) try {
  const Json document = parse_object(json, "it");
  check_schema(document);
  Index index;
  index.media_type = string_at(document, "mediaType");
  if (index.media_type.empty()) index.media_type = media_type::kIndex;
  if (!is_index(index.media_type))
    throw os::Error("media type '" + index.media_type + "' is not that of an index");
  for (const Json& manifest : array_at(document, "manifests"))
    index.manifests.push_back(read_descriptor(manifest));
  index.annotations = string_map_at(document, "annotations");
  return index;
} catch (const os::Error& error) {
  throw error.in("read an image index");
}

std::string format_manifest(const Manifest& manifest) {
  Json layers = Json::array();
  for (const Descriptor& layer : manifest.layers) layers.push_back(write_descriptor(layer));
  Json document{{"schemaVersion", 2},
                {"mediaType", manifest.media_type},
                {"config", write_descriptor(manifest.config)},
                {"layers", std::move(layers)}};
  if (!manifest.annotations.empty()) document["annotations"] = manifest.annotations;
  return dump(document);
}

std::string format_index(const Index& index) {
  Json manifests = Json::array();
  for (const Descriptor& descriptor : index.manifests)
    manifests.push_back(write_descriptor(descriptor));
  Json document{
      {"schemaVersion", 2}, {"mediaType", index.media_type}, {"manifests", std::move(manifests)}};
  if (!index.annotations.empty()) document["annotations"] = index.annotations;
  return dump(document);
}

const Descriptor& choose_platform(const Index& index, const Platform& host) {
  const Descriptor* best = nullptr;
  std::size_t best_rank = std::numeric_limits<std::size_t>::max();
  std::string present;
  for (const Descriptor& descriptor : index.manifests) {
    if (is_attestation(descriptor)) continue;
    const auto rank = descriptor.platform ? platform_rank(*descriptor.platform, host)
                                          : std::optional<std::size_t>(kUnnamedRank);
    present += (present.empty() ? "" : ", ") +
               (descriptor.platform ? descriptor.platform->text() : std::string("unnamed"));
    if (!rank || *rank >= best_rank) continue;
    best_rank = *rank;
    best = &descriptor;
  }
  if (best == nullptr)
    throw os::Error("no image for " + host.text() + "; there is " +
                    (present.empty() ? "none at all" : present));
  return *best;
}

}  // namespace image
