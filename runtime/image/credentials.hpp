// Who we are to a registry, as Docker's config.json and containers' auth.json write it
// (docker-config-json, containers-auth.json(5)). Pure: text to struct and back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace image {

/// One of: name and password, an identity token (for the token server), a registry token (sent as
/// it is).
struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;
  std::string registry_token;

  bool operator==(const Credentials&) const = default;
};

/// What is in one file. Hosts are in normal form.
struct AuthFile {
  std::map<std::string, Credentials> auths;    ///< by host, or host/namespace
  std::map<std::string, std::string> helpers;  ///< host to the X of docker-credential-X
  std::string store;                           ///< the helper of all others; empty: none

  /// The entry for a repository, the most specific one.
  std::optional<Credentials> find(const std::string& host, const std::string& path) const;
  /// The helper that knows `host`, empty when none does.
  std::string helper_for(const std::string& host) const;
};

/// "docker.io" for all names of Docker Hub; others without scheme, "/v1/", "/v2/" and last slash.
std::string normal_auth_key(std::string_view key);
/// What a host is called in Docker's files and to its helpers.
std::string docker_auth_key(const std::string& host);

/// Throws os::Error that says what is wrong, never with a secret in it.
AuthFile parse_auth_file(std::string_view json);
/// `json` (empty for a new file) with the entry of `host` set, or taken away when `credentials` is
/// nothing. All else in the file stays.
std::string edit_auth_file(std::string_view json, const std::string& host,
                           const std::optional<Credentials>& credentials);

/// A helper's answer to `get`: {"ServerURL","Username","Secret"}.
Credentials parse_helper_answer(std::string_view json);

std::string base64_encode(std::string_view bytes);
/// Nothing when it is malformed; padding may be missing.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace image
