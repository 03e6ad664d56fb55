// Operating system and processor that an image is for, and which of several suits a host (OCI image
// specification, image-index.md; the preferences of containerd's platforms package). Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace image {

/// In normal form: "amd64" and not "x86_64", no variant where the architecture's default is meant.
struct Platform {
  std::string os = "linux";
  std::string architecture;
  std::string variant;

  /// "linux/arm/v7"
  std::string text() const;
  bool operator==(const Platform&) const = default;
};

/// The normal form of what documents and users write.
Platform normalise(Platform platform);
/// Reads "os/arch[/variant]"; throws os::Error.
Platform parse_platform(std::string_view text);
/// What this machine runs natively.
Platform host_platform();
/// How well `candidate` runs on `host`: 0 is exact, larger is worse; nothing when it does not run.
std::optional<std::size_t> platform_rank(const Platform& candidate, const Platform& host);

}  // namespace image
