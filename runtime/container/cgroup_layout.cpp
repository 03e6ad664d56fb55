#include "runtime/container/cgroup_layout.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// mountinfo escapes space, tab, newline and backslash as octal (proc_pid_mountinfo(5)).
std::string unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      const int code = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      result += static_cast<char>(code);
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

struct CgroupMount {
  std::string root;  // the group that is mounted
  std::string mount_point;
  bool unified = false;
  std::vector<std::string> super_options;
};

// ID PARENT MAJ:MIN ROOT MOUNT_POINT OPTIONS [TAGS…] - TYPE SOURCE SUPER_OPTIONS
std::optional<CgroupMount> parse_mount(std::string_view line) {
  const std::vector<std::string> fields = split(line, ' ');
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  if (fields.size() < 6 || fields.end() - dash < 4) return std::nullopt;
  const std::string& type = *(dash + 1);
  if (type != "cgroup" && type != "cgroup2") return std::nullopt;
  return CgroupMount{.root = unescape(fields[3]),
                     .mount_point = unescape(fields[4]),
                     .unified = type == "cgroup2",
                     .super_options = split(*(dash + 3), ',')};
}

// Lines of /proc/PID/cgroup: ID:CONTROLLERS:PATH.
struct Membership {
  std::string controllers;
  std::string path;
};
std::vector<Membership> parse_memberships(std::string_view text) {
  std::vector<Membership> result;
  for (const std::string& line : split(text, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second =
        first == std::string::npos ? std::string::npos : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    result.push_back({line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return result;
}

bool same_controllers(const std::string& left, const std::string& right) {
  auto a = split(left, ',');
  auto b = split(right, ',');
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

// The names among a v1 mount's options that are in /proc/self/cgroup: its controllers or its name.
std::string hierarchy_name(const CgroupMount& mount, const std::vector<Membership>& memberships) {
  for (const Membership& membership : memberships) {
    std::vector<std::string> names = split(membership.controllers, ',');
    const bool all = std::all_of(names.begin(), names.end(), [&](const std::string& name) {
      return std::find(mount.super_options.begin(), mount.super_options.end(), name) !=
             mount.super_options.end();
    });
    if (!names.empty() && all) return membership.controllers;
  }
  return {};
}

// Whether systemd has given the group away (systemd.resource-control(5), Delegate=).
bool is_delegated(const std::string& directory) {
  for (const char* attribute : {"trusted.delegate", "user.delegate"}) {
    char value[8] = {};
    const ssize_t size = ::getxattr(directory.c_str(), attribute, value, sizeof(value));
    if (size == 1 && value[0] == '1') return true;
  }
  return false;
}

bool is_owned(const std::string& directory) {
  struct stat status {};
  return ::stat(directory.c_str(), &status) == 0 && status.st_uid == ::geteuid() &&
         ::access((directory + "/cgroup.procs").c_str(), W_OK) == 0;
}

// Our own group as a directory; the mount's point when the mount does not show it.
std::string own_directory(const CgroupMount& mount, const std::string& mount_point,
                          std::string path) {
  if (mount.root != "/") {
    if (!path.starts_with(mount.root)) return mount_point;
    path.erase(0, mount.root.size());
  }
  if (path.find("/..") != std::string::npos || path == "/" || path.empty()) return mount_point;
  return mount_point + path;
}

// On v2 the nearest delegated group above us; as an ordinary user the topmost of those that are
// ours; otherwise, as on v1, the top of what is mounted.
std::string base_of(const Hierarchy& hierarchy, const std::string& own) {
  if (!hierarchy.unified) return hierarchy.mount_point;
  std::string topmost_owned;
  for (std::string directory = own; directory.size() > hierarchy.mount_point.size();
       directory.erase(directory.rfind('/'))) {
    if (is_delegated(directory)) return directory;
    if (is_owned(directory)) topmost_owned = directory;
  }
  return ::geteuid() == 0 || topmost_owned.empty() ? hierarchy.mount_point : topmost_owned;
}

// What may be enabled for children of `directory`.
std::vector<std::string> controllers_in(const std::string& directory) {
  const auto text = os::read_file_if_exists(directory + "/cgroup.controllers", 4096);
  if (!text) return {};
  std::string line = *text;
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return split(line, ' ');
}

Hierarchy make_hierarchy(const std::string& root, const CgroupMount& mount,
                         const std::vector<Membership>& memberships) {
  Hierarchy hierarchy;
  hierarchy.mount_point = root + mount.mount_point;
  hierarchy.unified = mount.unified;
  if (!mount.unified) hierarchy.name = hierarchy_name(mount, memberships);
  std::string own_path;
  for (const Membership& membership : memberships) {
    if (same_controllers(membership.controllers, hierarchy.name)) own_path = membership.path;
  }
  hierarchy.base =
      base_of(hierarchy, own_directory(mount, hierarchy.mount_point, std::move(own_path)));
  hierarchy.controllers =
      mount.unified ? controllers_in(hierarchy.base) : split(hierarchy.name, ',');
  return hierarchy;
}

}  // namespace

bool Hierarchy::has(std::string_view controller) const noexcept {
  return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

CgroupLayout CgroupLayout::detect(const std::string& root) {
  constexpr std::size_t kLimit = 16 * 1024 * 1024;
  const auto memberships = parse_memberships(os::read_file(root + "/proc/self/cgroup", kLimit));
  CgroupLayout layout;
  for (const std::string& line :
       split(os::read_file(root + "/proc/self/mountinfo", kLimit), '\n')) {
    const auto mount = parse_mount(line);
    if (!mount) continue;
    Hierarchy hierarchy = make_hierarchy(root, *mount, memberships);
    const bool is_known = std::any_of(
        layout.hierarchies_.begin(), layout.hierarchies_.end(), [&](const Hierarchy& each) {
          return each.unified == hierarchy.unified && each.name == hierarchy.name;
        });
    // A hierarchy may be mounted more than once: the first is the host's own.
    const bool has_name = hierarchy.unified || !hierarchy.name.empty();
    if (!is_known && has_name) layout.hierarchies_.push_back(std::move(hierarchy));
  }
  if (layout.hierarchies_.empty()) {
    throw os::Error("find the control groups: no cgroup file system is mounted");
  }
  return layout;
}

const Hierarchy* CgroupLayout::find(std::string_view controller) const noexcept {
  if (const Hierarchy* v2 = unified(); v2 != nullptr && v2->has(controller)) return v2;
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (!hierarchy.unified && hierarchy.has(controller)) return &hierarchy;
  }
  return nullptr;
}

const Hierarchy* CgroupLayout::unified() const noexcept {
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (hierarchy.unified) return &hierarchy;
  }
  return nullptr;
}

bool CgroupLayout::wants_delegation() const {
  return unified_only() && unified()->base == unified()->mount_point &&
         os::exists("/run/systemd/system");  // sd_booted(3)
}

bool CgroupLayout::unified_only() const noexcept {
  if (unified() == nullptr) return false;
  return std::all_of(hierarchies_.begin(), hierarchies_.end(), [](const Hierarchy& hierarchy) {
    return hierarchy.unified || hierarchy.name.starts_with("name=");
  });
}

}  // namespace container
