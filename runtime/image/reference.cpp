#include "runtime/image/reference.hpp"

#include <algorithm>

#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::string_view kDefaultHost = "docker.io";
constexpr std::string_view kLegacyHost = "index.docker.io";
constexpr std::string_view kOfficial = "library/";
constexpr std::size_t kMaxRepository = 255;
constexpr std::size_t kMaxTag = 128;

bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_lower_alnum(c) || is_upper(c); }

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw os::Error("invalid image name '" + std::string(text.substr(0, 300)) + "': " + why);
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
bool is_path_component(std::string_view text) {
  std::size_t i = 0;
  while (true) {
    const std::size_t begin = i;
    while (i < text.size() && is_lower_alnum(text[i])) ++i;
    if (i == begin) return false;
    if (i == text.size()) return true;
    const char separator = text[i];
    const std::size_t first = i;
    while (i < text.size() && text[i] == separator) ++i;
    const std::size_t count = i - first;
    const bool allowed =
        separator == '-' || (separator == '.' && count == 1) || (separator == '_' && count <= 2);
    if (!allowed) return false;
  }
}

bool is_path(std::string_view text) {
  for (;;) {
    const auto slash = text.find('/');
    if (!is_path_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

/// `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > kMaxTag || text[0] == '.' || text[0] == '-') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

/// Labels of letters, digits and inner hyphens, joined by dots.
bool is_host_name(std::string_view text) {
  for (;;) {
    const std::string_view label = text.substr(0, text.find('.'));
    if (label.empty() || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-'; }))
      return false;
    if (label.size() == text.size()) return true;
    text.remove_prefix(label.size() + 1);
  }
}

bool is_ipv6_literal(std::string_view text) {
  if (text.size() < 4 || text.front() != '[' || text.back() != ']') return false;
  return text.substr(1, text.size() - 2).find_first_not_of("0123456789abcdefABCDEF:") ==
         std::string_view::npos;
}

/// `name[:port]` or `[v6][:port]`
bool is_host(std::string_view text) {
  std::string_view name = text;
  const std::size_t after_v6 = text.starts_with('[') ? text.find(']') : 0;
  if (after_v6 == std::string_view::npos) return false;
  const auto colon = text.find(':', after_v6);
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit))
      return false;
    name = text.substr(0, colon);
  }
  return name.starts_with('[') ? is_ipv6_literal(name) : is_host_name(name);
}

bool looks_like_host(std::string_view first_part) {
  return first_part.find_first_of(".:") != std::string_view::npos || first_part == "localhost" ||
         std::any_of(first_part.begin(), first_part.end(), is_upper);
}

/// Splits `name` into host and path and fills in the defaults.
void parse_repository(std::string_view name, std::string_view whole, Reference& reference) {
  const auto slash = name.find('/');
  std::string_view path = name;
  reference.host = kDefaultHost;
  if (slash != std::string_view::npos && looks_like_host(name.substr(0, slash))) {
    reference.host = name.substr(0, slash);
    path = name.substr(slash + 1);
    if (!is_host(reference.host)) refuse(whole, "'" + reference.host + "' is not a host");
    if (reference.host == kLegacyHost) reference.host = kDefaultHost;
  }
  if (!is_path(path)) {
    const bool capital = std::any_of(path.begin(), path.end(), is_upper);
    refuse(whole, capital ? "a repository name must be lowercase"
                          : "a repository name is words of a-z and 0-9 joined by . _ __ - and /");
  }
  const bool official = reference.host == kDefaultHost && path.find('/') == std::string_view::npos;
  reference.path = (official ? std::string(kOfficial) : std::string()) + std::string(path);
  if (reference.path.size() > kMaxRepository)
    refuse(whole, "a repository name has at most 255 characters");
}

}  // namespace

Reference Reference::parse(std::string_view text) {
  if (text.empty()) throw os::Error("an image name is empty");
  if (Digest::from_hex(text))
    refuse(text, "64 hexadecimal digits are an id, which cannot be a name");
  Reference reference;
  std::string_view rest = text;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    reference.digest = Digest::try_parse(rest.substr(at + 1));
    if (!reference.digest) refuse(text, "after '@' comes sha256: and 64 hexadecimal digits");
    rest = rest.substr(0, at);
  }
  const auto last_slash = rest.rfind('/');
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos &&
      (last_slash == std::string_view::npos || colon > last_slash)) {
    reference.tag = rest.substr(colon + 1);
    if (!is_tag(reference.tag))
      refuse(text, "a tag is up to 128 of A-Z a-z 0-9 _ . - and starts with none of . -");
    rest = rest.substr(0, colon);
  } else if (!reference.digest) {
    reference.tag = "latest";
  }
  parse_repository(rest, text, reference);
  return reference;
}

std::string Reference::text() const {
  std::string text = repository();
  if (!tag.empty()) text += ":" + tag;
  if (digest) text += "@" + digest->text();
  return text;
}

std::string Reference::familiar() const {
  std::string whole = text();
  if (host != kDefaultHost) return whole;
  const std::string_view first_part = std::string_view(path).substr(0, path.find('/'));
  // "docker.io/a.b/c" without its host would be c on the host a.b.
  if (first_part.size() < path.size() && looks_like_host(first_part)) return whole;
  std::size_t skip = kDefaultHost.size() + 1;
  if (path.starts_with(kOfficial) && path.find('/', kOfficial.size()) == std::string::npos)
    skip += kOfficial.size();
  return whole.substr(skip);
}

}  // namespace image
