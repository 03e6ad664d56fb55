#include "runtime/image/url.hpp"

#include <algorithm>
#include <vector>

#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::size_t kMaxUrl = 16 * 1024;  // presigned URLs of object stores are long

std::string lowercase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

[[noreturn]] void refuse(std::string_view text, const char* why) {
  throw os::Error("invalid URL '" + std::string(text.substr(0, 200)) + "': " + why);
}

void check_characters(std::string_view text) {
  if (text.size() > kMaxUrl) refuse(text, "it is too long");
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) refuse(text, "it has blanks in it");
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
         c == ':' || c == '[' || c == ']';
}

std::string strip_default_port(std::string host, const std::string& scheme) {
  const std::string port = scheme == "https" ? ":443" : ":80";
  if (host.size() > port.size() && host.ends_with(port)) host.resize(host.size() - port.size());
  return host;
}

/// Takes out "." and ".." (RFC 3986, 5.2.4).
std::string remove_dots(std::string_view path) {
  std::vector<std::string_view> parts;
  bool ends_open = false;
  path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    ends_open = part == "." || part == "..";
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (part != ".") {
      parts.push_back(part);
    }
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  std::string clean;
  for (const std::string_view part : parts) clean += "/" + std::string(part);
  return ends_open || clean.empty() ? clean + "/" : clean;
}

}  // namespace

Url Url::parse(std::string_view text) {
  check_characters(text);
  Url url;
  const auto separator = text.find("://");
  if (separator == std::string_view::npos) refuse(text, "it is not absolute");
  url.scheme = lowercase(text.substr(0, separator));
  if (url.scheme != "http" && url.scheme != "https") refuse(text, "only http and https are known");
  std::string_view rest = text.substr(separator + 3);
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string host = lowercase(rest.substr(0, end));
  if (host.find('@') != std::string::npos) refuse(text, "it holds a user name");
  if (host.empty() || !std::all_of(host.begin(), host.end(), is_host_character))
    refuse(text, "its host is malformed");
  url.host = strip_default_port(host, url.scheme);
  url.target = rest.substr(end, rest.find('#') == std::string_view::npos ? std::string_view::npos
                                                                         : rest.find('#') - end);
  if (url.target.empty() || url.target.front() != '/') url.target.insert(0, 1, '/');
  return url;
}

Url Url::resolve(std::string_view location) const {
  check_characters(location);
  const auto colon = location.find(':');
  const auto stop = location.find_first_of("/?#");
  if (colon != std::string_view::npos && (stop == std::string_view::npos || colon < stop))
    return parse(location);
  if (location.starts_with("//")) return parse(scheme + ":" + std::string(location));
  Url url = *this;
  location = location.substr(0, location.find('#'));
  if (location.empty()) return url;
  const std::string path = target.substr(0, target.find('?'));
  if (location.front() == '?') {
    url.target = path + std::string(location);
    return url;
  }
  const std::string_view query =
      location.find('?') == std::string_view::npos ? "" : location.substr(location.find('?'));
  const std::string_view way = location.substr(0, location.find('?'));
  const std::string whole = way.front() == '/'
                                ? std::string(way)
                                : path.substr(0, path.rfind('/') + 1) + std::string(way);
  url.target = remove_dots(whole) + std::string(query);
  return url;
}

std::string Url::host_name() const {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

void Url::add_query(std::string_view name, std::string_view value) {
  target += target.find('?') == std::string::npos ? "?" : "&";
  target += percent_encode(name) + "=" + percent_encode(value);
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4U];
      encoded += kDigits[byte & 15U];
    }
  }
  return encoded;
}

bool is_loopback(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1) == "[::1]";
  host = host.substr(0, host.find(':'));
  if (host == "localhost") return true;
  if (!host.starts_with("127.")) return false;
  return host.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::count(host.begin(), host.end(), '.') == 3;
}

}  // namespace image
