#include "runtime/image/platform.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "runtime/os/error.hpp"

namespace image {

namespace {

std::string lowercase(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// The number in "v8"; nothing when it is no such word.
std::optional<int> version_of(std::string_view variant) {
  if (variant.size() < 2 || variant.front() != 'v') return std::nullopt;
  variant.remove_prefix(1);
  int number = 0;
  const auto result = std::from_chars(variant.data(), variant.data() + variant.size(), number);
  if (result.ec != std::errc{} || result.ptr != variant.data() + variant.size() || number < 0 ||
      number > 99)
    return std::nullopt;
  return number;
}

void append_versions(std::vector<Platform>& list, const Platform& base, int from, int to) {
  for (int version = from; version >= to; --version) {
    Platform platform = base;
    platform.variant = "v" + std::to_string(version);
    list.push_back(normalise(platform));
  }
}

/// What `host` runs, best first.
std::vector<Platform> runnable(const Platform& host) {
  std::vector<Platform> list{host};
  if (host.architecture == "amd64") {
    append_versions(list, host, version_of(host.variant).value_or(1), 1);
    list.push_back({host.os, "386", ""});
  } else if (host.architecture == "arm64") {
    append_versions(list, host, version_of(host.variant).value_or(8), 8);
    append_versions(list, {host.os, "arm", ""}, 8, 5);
  } else if (host.architecture == "arm") {
    append_versions(list, host, version_of(host.variant).value_or(7), 5);
  }
  return list;
}

}  // namespace

std::string Platform::text() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

Platform normalise(Platform platform) {
  static constexpr std::array<std::array<std::string_view, 3>, 6> kAliases{{
      {"x86_64", "amd64", ""},
      {"x86-64", "amd64", ""},
      {"i386", "386", ""},
      {"aarch64", "arm64", ""},
      {"armhf", "arm", "v7"},
      {"armel", "arm", "v6"},
  }};
  platform.os = lowercase(platform.os);
  platform.architecture = lowercase(platform.architecture);
  platform.variant = lowercase(platform.variant);
  for (const auto& [alias, architecture, variant] : kAliases) {
    if (platform.architecture != alias) continue;
    platform.architecture = architecture;
    if (!variant.empty()) platform.variant = variant;
    break;
  }
  if (!platform.variant.empty() && platform.variant.front() >= '0' &&
      platform.variant.front() <= '9')
    platform.variant.insert(0, 1, 'v');
  if (platform.architecture == "arm" && platform.variant.empty()) platform.variant = "v7";
  if ((platform.architecture == "amd64" && platform.variant == "v1") ||
      (platform.architecture == "arm64" && platform.variant == "v8"))
    platform.variant.clear();
  return platform;
}

Platform parse_platform(std::string_view text) {
  std::vector<std::string> parts;
  for (std::string_view rest = text;;) {
    const auto slash = rest.find('/');
    parts.emplace_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  const bool filled =
      std::none_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); });
  if (!filled || parts.size() < 2 || parts.size() > 3)
    throw os::Error("invalid platform '" + std::string(text.substr(0, 100)) +
                    "': it is os/architecture or os/architecture/variant");
  return normalise({parts[0], parts[1], parts.size() == 3 ? parts[2] : ""});
}

Platform host_platform() {
  struct utsname name {};
  os::check(::uname(&name), [] { return "ask for the machine's architecture"; });
  const std::string machine = name.machine;
  if (machine.starts_with("armv7")) return {"linux", "arm", "v7"};
  if (machine.starts_with("armv6")) return {"linux", "arm", "v6"};
  if (machine == "i686" || machine == "i586") return {"linux", "386", ""};
  return normalise({"linux", machine, ""});
}

std::optional<std::size_t> platform_rank(const Platform& candidate, const Platform& host) {
  const std::vector<Platform> list = runnable(normalise(host));
  const auto found = std::find(list.begin(), list.end(), normalise(candidate));
  if (found == list.end()) return std::nullopt;
  return static_cast<std::size_t>(found - list.begin());
}

}  // namespace image
