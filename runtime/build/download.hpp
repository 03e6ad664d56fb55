// Fetches what ADD names by a URL: HTTP and HTTPS, proxies of the environment, redirects.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/build/cancel.hpp"
#include "runtime/build/options.hpp"
#include "runtime/image/digest.hpp"

namespace build {

struct Download {
  std::string path;  ///< the file
  image::Digest digest;
  std::optional<std::int64_t> modified;  ///< seconds, by Last-Modified
  std::string name;                      ///< last part of the URL's path; may be empty
};

/// Whether the text is an http or https URL.
bool is_http_url(const std::string& text);

/// The Authorization header that the secrets HTTP_AUTH_HEADER_HOST and HTTP_AUTH_TOKEN_HOST have
/// for the URL's host; empty: none.
std::string authorization_for(const std::string& url, const std::map<std::string, Secret>& secrets);

struct DownloadOptions {
  std::string authorization;                       ///< header for the URL's own host; empty: none
  std::map<std::string, std::string> environment;  ///< names proxies
};

/// Fetches `url` into the new file `path`. Throws Canceled, and os::Error with the server's answer:
/// not found, too large (8 GiB), too slow (under 1 KiB in 30 s).
Download download(const std::string& url, const std::string& path, const DownloadOptions& options,
                  const Cancel& cancel);

}  // namespace build
