// The URLs that a registry client meets: http and https, absolute or relative to another one
// (RFC 3986). Pure.
#pragma once

#include <string>
#include <string_view>

namespace image {

struct Url {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< lowercase, IPv6 in brackets, with ":port" unless it is the scheme's own
  std::string target;  ///< path and query, beginning with '/'

  /// Throws os::Error unless `text` is an absolute http or https URL. User, password and fragment
  /// are refused: nobody puts them there who means well.
  static Url parse(std::string_view text);
  /// What `location`, absolute or relative, means to somebody who is at this URL.
  Url resolve(std::string_view location) const;

  std::string text() const { return scheme + "://" + host + target; }
  /// The host without its port.
  std::string host_name() const;
  /// Adds `name=value`, encoded, to the query.
  void add_query(std::string_view name, std::string_view value);

  bool operator==(const Url&) const = default;
};

/// All but letters, digits and "-._~" as %XX.
std::string percent_encode(std::string_view text);

/// Whether a host (with or without port) can only mean this machine: localhost, 127.0.0.0/8, ::1.
bool is_loopback(std::string_view host);

}  // namespace image
