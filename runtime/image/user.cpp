#include "runtime/image/user.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>

#include "runtime/os/error.hpp"

namespace image {

namespace {

/// What the reference accepts as an id: 0 … 2^31 - 1.
constexpr std::int64_t kMaxId = INT32_MAX;

struct PasswdEntry {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
};

struct GroupEntry {
  std::string name;
  gid_t gid = 0;
  std::vector<std::string> members;
};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The id that `text`, a number, stands for; nothing when it is out of range.
std::optional<std::uint32_t> id_of(std::string_view text) {
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
    if (value > kMaxId) return std::nullopt;
  }
  if (text.empty()) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

std::uint32_t checked_id(std::string_view text) {
  if (const auto id = id_of(text)) return *id;
  throw os::Error("uids and gids must be in range 0-2147483647, not '" +
                  std::string(text.substr(0, 100)) + "'");
}

/// Calls `use` with the fields of each line until it returns true. Lines that are empty, comments
/// or too short are skipped: they define nobody.
void for_each_entry(std::string_view file, std::size_t fields,
                    const std::function<bool(const std::vector<std::string>&)>& use) {
  while (!file.empty()) {
    const auto end = std::min(file.find('\n'), file.size());
    std::string_view line = file.substr(0, end);
    file.remove_prefix(std::min(end + 1, file.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const std::vector<std::string> parts = split(line, ':');
    if (parts.size() >= fields && use(parts)) return;
  }
}

std::optional<PasswdEntry> find_passwd(std::string_view passwd,
                                       const std::function<bool(const PasswdEntry&)>& wanted) {
  std::optional<PasswdEntry> found;
  for_each_entry(passwd, 4, [&](const std::vector<std::string>& parts) {
    const auto uid = id_of(parts[2]);
    const auto gid = id_of(parts[3]);
    if (!uid || !gid) return false;
    const PasswdEntry entry{parts[0], *uid, *gid, parts.size() > 5 ? parts[5] : ""};
    if (!wanted(entry)) return false;
    found = entry;
    return true;
  });
  return found;
}

std::vector<GroupEntry> read_groups(std::string_view group) {
  std::vector<GroupEntry> groups;
  for_each_entry(group, 3, [&](const std::vector<std::string>& parts) {
    const auto gid = id_of(parts[2]);
    if (gid)
      groups.push_back(
          {parts[0], *gid, parts.size() > 3 ? split(parts[3], ',') : std::vector<std::string>()});
    return false;
  });
  return groups;
}

gid_t find_group(const std::string& text, const std::vector<GroupEntry>& groups) {
  if (is_number(text)) return checked_id(text);
  const auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const GroupEntry& entry) { return entry.name == text; });
  if (text.empty() || found == groups.end())
    throw os::Error("unable to find group " + text + ": no matching entries in group file");
  return found->gid;
}

void add_group(User& user, gid_t gid) {
  if (std::find(user.groups.begin(), user.groups.end(), gid) == user.groups.end())
    user.groups.push_back(gid);
}

/// Fills in uid, gid and home; returns the name that /etc/passwd knows the user by.
std::string resolve_identity(const std::string& name, std::string_view passwd, User& user) {
  std::optional<PasswdEntry> entry;
  if (name.empty() || is_number(name)) {
    user.uid = name.empty() ? 0 : checked_id(name);
    entry = find_passwd(passwd, [&](const auto& candidate) { return candidate.uid == user.uid; });
  } else {
    entry = find_passwd(passwd, [&](const auto& candidate) { return candidate.name == name; });
    if (!entry)
      throw os::Error("unable to find user " + name + ": no matching entries in passwd file");
  }
  if (!entry) return {};
  user.uid = entry->uid;
  user.gid = entry->gid;
  if (!entry->home.empty()) user.home = entry->home;
  return entry->name;
}

}  // namespace

User resolve_user(std::string_view text, const std::vector<std::string>& added,
                  std::string_view passwd, std::string_view group) {
  const std::vector<std::string> parts = split(text, ':');
  const bool well_formed =
      parts.size() == 1 || (parts.size() == 2 && !parts[0].empty() && !parts[1].empty());
  if (!well_formed)
    throw os::Error("invalid user '" + std::string(text.substr(0, 100)) +
                    "': it is USER or USER:GROUP, names or numbers");
  User user;
  const std::string name = resolve_identity(parts[0], passwd, user);
  const std::vector<GroupEntry> groups = read_groups(group);
  if (parts.size() == 2) user.gid = find_group(parts[1], groups);
  add_group(user, user.gid);
  if (parts.size() == 1 && !name.empty()) {
    for (const GroupEntry& entry : groups)
      if (std::find(entry.members.begin(), entry.members.end(), name) != entry.members.end())
        add_group(user, entry.gid);
  }
  for (const std::string& extra : added) add_group(user, find_group(extra, groups));
  return user;
}

}  // namespace image
