#include "runtime/image/credentials.hpp"

#include <algorithm>
#include <array>

#include "runtime/image/json.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::string_view kHub = "docker.io";
constexpr std::string_view kHubKey = "https://index.docker.io/v1/";
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void strip_prefix(std::string_view& text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
}

void strip_suffix(std::string_view& text, std::string_view suffix) {
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
}

std::optional<Credentials> read_entry(const Json& entry) {
  if (!entry.is_object()) return std::nullopt;
  Credentials credentials;
  credentials.username = string_at(entry, "username");
  credentials.password = string_at(entry, "password");
  credentials.identity_token = string_at(entry, "identitytoken");
  credentials.registry_token = string_at(entry, "registrytoken");
  if (const std::string auth = string_at(entry, "auth"); !auth.empty()) {
    const auto pair = base64_decode(auth);
    const auto colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) throw os::Error("an 'auth' is not base64 of user:password");
    credentials.username = pair->substr(0, colon);
    credentials.password = pair->substr(colon + 1);
    // Docker pads the password with NULs in old files.
    while (!credentials.password.empty() && credentials.password.back() == '\0')
      credentials.password.pop_back();
  }
  if (credentials == Credentials()) return std::nullopt;  // `docker login` with a helper leaves {}
  return credentials;
}

bool is_of(const std::string& key, const std::string& host) { return normal_auth_key(key) == host; }

}  // namespace

std::string normal_auth_key(std::string_view key) {
  strip_prefix(key, "https://");
  strip_prefix(key, "http://");
  strip_suffix(key, "/");
  strip_suffix(key, "/v1");
  strip_suffix(key, "/v2");
  std::string normal(key);
  for (const std::string_view hub : {"index.docker.io", "registry-1.docker.io"})
    if (normal == hub) normal = kHub;
  return normal;
}

std::string docker_auth_key(const std::string& host) {
  return host == kHub ? std::string(kHubKey) : host;
}

std::optional<Credentials> AuthFile::find(const std::string& host, const std::string& path) const {
  std::string key = path.empty() ? host : host + "/" + path;
  for (;;) {
    if (const auto found = auths.find(key); found != auths.end()) return found->second;
    if (key.size() <= host.size()) return std::nullopt;
    key.resize(key.rfind('/'));
  }
}

std::string AuthFile::helper_for(const std::string& host) const {
  const auto found = helpers.find(host);
  return found == helpers.end() ? store : found->second;
}

AuthFile parse_auth_file(std::string_view json) {
  AuthFile file;
  const Json document = parse_object(json, "it");
  if (const Json& auths = object_at(document, "auths"); !auths.is_null())
    for (const auto& [key, entry] : auths.items())
      if (auto credentials = read_entry(entry))
        file.auths.insert_or_assign(normal_auth_key(key), *std::move(credentials));
  for (const auto& [key, helper] : string_map_at(document, "credHelpers"))
    file.helpers.insert_or_assign(normal_auth_key(key), helper);
  file.store = string_at(document, "credsStore");
  return file;
}

std::string edit_auth_file(std::string_view json, const std::string& host,
                           const std::optional<Credentials>& credentials) {
  Json document = json.empty() ? Json::object() : parse_object(json, "it");
  if (!document.contains("auths") || !document["auths"].is_object())
    document["auths"] = Json::object();
  Json& auths = document["auths"];
  std::vector<std::string> old;
  for (const auto& [key, entry] : auths.items())
    if (is_of(key, host)) old.push_back(key);
  for (const std::string& key : old) auths.erase(key);
  if (credentials) {
    Json entry = Json::object();
    if (!credentials->identity_token.empty()) {
      entry["auth"] = base64_encode(credentials->username + ":");
      entry["identitytoken"] = credentials->identity_token;
    } else {
      entry["auth"] = base64_encode(credentials->username + ":" + credentials->password);
    }
    auths[docker_auth_key(host)] = std::move(entry);
  }
  return document.dump(8) + "\n";
}

Credentials parse_helper_answer(std::string_view json) {
  const Json document = parse_object(json, "its answer");
  Credentials credentials;
  credentials.username = string_at(document, "Username");
  const std::string secret = string_at(document, "Secret");
  if (credentials.username == "<token>") {
    credentials.username.clear();
    credentials.identity_token = secret;
  } else {
    credentials.password = secret;
  }
  return credentials;
}

std::string base64_encode(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8U | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= count ? kAlphabet[group >> (18U - 6U * k) & 63U] : '=';
  }
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const auto digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6U | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(group >> bits & 0xffU);
  }
  return bytes;
}

}  // namespace image
