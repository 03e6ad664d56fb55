#include "manifests/volume_spec.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "manifests/paths.hpp"

namespace manifests {

namespace {

constexpr std::array<std::string_view, 6> kPropagations = {"rprivate", "private", "rshared",
                                                           "shared",   "rslave",  "slave"};

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

/// Splits at colons that stand outside `${…}`.
std::vector<std::string> sections(std::string_view spec) {
  std::vector<std::string> result(1);
  int depth = 0;
  for (std::size_t i = 0; i < spec.size(); ++i) {
    const char c = spec[i];
    if (c == '$' && i + 1 < spec.size() && spec[i + 1] == '{') ++depth;
    if (c == '}' && depth > 0) --depth;
    if (c == ':' && depth == 0) {
      result.emplace_back();
    } else {
      result.back() += c;
    }
  }
  return result;
}

bool is_drive(const std::string& section) { return section.size() == 1 && is_letter(section[0]); }

/// Joins a Windows drive letter with the path after it. A letter alone before an absolute target
/// is the name of a volume: `v:/data`.
void join_drives(std::vector<std::string>& parts) {
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const std::string& path = parts[i + 1];
    const bool is_whole = i == 0 && parts.size() == 2;
    const bool continues =
        path.starts_with('\\') || (path.starts_with('/') && !is_whole && i + 2 < parts.size() &&
                                   (parts[i + 2].starts_with('/') || is_drive(parts[i + 2])));
    if (!is_drive(parts[i]) || !continues) continue;
    parts[i] += ":" + path;
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
}

/// Of more than three sections every letter alone begins a path, as in `c:d:/data`.
void join_all_drives(std::vector<std::string>& parts) {
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (!is_drive(parts[i])) continue;
    parts[i] += ":" + parts[i + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
}

bool is_file_path(std::string_view source) {
  if (source.empty()) return false;
  if (source[0] == '.' || source[0] == '/' || source[0] == '~') return true;
  if (source.starts_with("\\\\")) return true;
  return source.size() > 1 && is_letter(source[0]) && source[1] == ':';
}

void apply_mode(std::string_view word, Mount& mount) {
  if (word == "ro") mount.read_only = true;
  if (word == "rw") mount.read_only = false;
  if (word == "nocopy") mount.volume = VolumeOptions{.nocopy = true};
  const bool selinux = word == "z" || word == "Z";
  const bool propagation =
      std::find(kPropagations.begin(), kPropagations.end(), word) != kPropagations.end();
  if (!selinux && !propagation) return;
  if (!mount.bind) mount.bind.emplace();
  (selinux ? mount.bind->selinux : mount.bind->propagation) = word;
}

}  // namespace

Parsed<Mount> parse_volume_spec(std::string_view spec) {
  if (spec.empty()) return Unreadable{"invalid empty volume spec"};
  Mount mount;
  if (spec.size() <= 2) {
    mount.target = spec;
    return mount;
  }
  const auto refuse = [&](std::string_view why) {
    return Unreadable{"invalid spec: " + std::string(spec) + ": " + std::string(why)};
  };
  std::vector<std::string> parts = sections(spec);
  join_drives(parts);
  if (parts.size() > 3) join_all_drives(parts);
  if (std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); })) {
    return refuse("empty section between colons");
  }
  if (parts.size() > 3) return refuse("too many colons");
  if (parts.size() > 1) mount.source = parts[0];
  mount.target = clean_path(parts[parts.size() > 1 ? 1 : 0]);
  for (std::size_t from = 0; parts.size() > 2 && from <= parts[2].size();) {
    const auto comma = std::min(parts[2].find(',', from), parts[2].size());
    apply_mode(std::string_view(parts[2]).substr(from, comma - from), mount);
    from = comma + 1;
  }
  if (is_file_path(mount.source)) {
    mount.type = MountType::bind;
    if (!mount.bind) mount.bind.emplace();
    mount.bind->create_host_path = true;
  } else if (!mount.volume) {
    mount.volume.emplace();
  }
  return mount;
}

}  // namespace manifests
