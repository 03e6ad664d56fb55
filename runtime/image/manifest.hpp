// The documents that tie an image together: descriptor, manifest and index, in their OCI and Docker
// forms (OCI image specification, descriptor.md, manifest.md, image-index.md). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/digest.hpp"
#include "runtime/image/platform.hpp"

namespace image {

namespace media_type {
inline constexpr std::string_view kIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kDockerIndex =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
}  // namespace media_type

inline constexpr std::string_view kRefNameAnnotation = "org.opencontainers.image.ref.name";
inline constexpr std::string_view kContainerdNameAnnotation = "io.containerd.image.name";

/// The largest manifest, index or configuration that is read: what registries accept too.
inline constexpr std::size_t kMaxDocument = 4 * 1024 * 1024;

/// Names a blob, and how to check it.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::int64_t size = 0;
  std::optional<Platform> platform;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> urls;  ///< where else the blob is, of layers that are not distributed

  bool operator==(const Descriptor&) const = default;
};

struct Manifest {
  std::string media_type{media_type::kManifest};
  Descriptor config;
  std::vector<Descriptor> layers;  ///< base first
  std::map<std::string, std::string> annotations;

  bool operator==(const Manifest&) const = default;
};

struct Index {
  std::string media_type{media_type::kIndex};
  std::vector<Descriptor> manifests;
  std::map<std::string, std::string> annotations;

  bool operator==(const Index&) const = default;
};

bool is_index(std::string_view media_type);
bool is_manifest(std::string_view media_type);
/// Whether a layer must not be given on to a registry.
bool is_nondistributable(std::string_view media_type);

/// Each reads its document and throws os::Error that names what is wrong; unknown properties and
/// media types of layers are no error.
Manifest parse_manifest(std::string_view json);
Index parse_index(std::string_view json);
/// In one deterministic form.
std::string format_manifest(const Manifest& manifest);
std::string format_index(const Index& index);

/// The manifest of `index` that suits `host` best: attestations aside, the first of the best rank.
/// Throws os::Error that lists the platforms there are when none suits.
const Descriptor& choose_platform(const Index& index, const Platform& host);

}  // namespace image
