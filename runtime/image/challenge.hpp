// What a server says when it wants to know who asks: the WWW-Authenticate header (RFC 9110, 11.6.1)
// and the answers of token servers (Distribution's token specification). Pure.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace image {

/// One scheme with its parameters: `Bearer realm="…",service="…",scope="…"`.
struct Challenge {
  std::string scheme;                             ///< lowercase
  std::map<std::string, std::string> parameters;  ///< names in lowercase

  /// The value of a parameter, empty when it is not there.
  std::string at(const std::string& name) const;
  bool operator==(const Challenge&) const = default;
};

/// All challenges of one header, which may hold several; what is malformed is left out.
std::vector<Challenge> parse_challenges(std::string_view header);

/// What a token server gave.
struct Token {
  std::string value;
  std::chrono::seconds lifetime{60};
};

/// Reads a token server's answer. Throws os::Error when no token is in it.
Token parse_token(std::string_view json);

}  // namespace image
