// Image names as people write them, `[host[:port]/]path[:tag][@digest]`, and the one full form that
// they all stand for (the grammar of distribution/reference; Docker's defaults).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/image/digest.hpp"

namespace image {

/// A name in its full form: host and path are always there, and a tag unless there is a digest.
struct Reference {
  std::string host;  ///< "docker.io", "localhost:5000", "[::1]:5000"
  std::string path;  ///< "library/nginx"
  std::string tag;   ///< empty when only a digest was given
  std::optional<Digest> digest;

  /// Throws os::Error that says what is wrong with `text`. A missing host becomes docker.io, with
  /// "library/" for a path of one part; a missing tag becomes "latest" unless a digest is there.
  static Reference parse(std::string_view text);

  /// "docker.io/library/nginx"
  std::string repository() const { return host + "/" + path; }
  /// The full form: "docker.io/library/nginx:latest".
  std::string text() const;
  /// The form people expect to read: without "docker.io/" and "library/".
  std::string familiar() const;

  bool operator==(const Reference&) const = default;
};

}  // namespace image
