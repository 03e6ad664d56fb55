#include "runtime/container/mount_options.hpp"

#include <linux/mount.h>
#include <sys/mount.h>

#include <string_view>
#include <unordered_map>

namespace container {
namespace {

// What one option name means. `attribute` bits are set or cleared; those within MOUNT_ATTR__ATIME
// are a value, not a flag.
struct Meaning {
  enum class Kind { nothing, set, clear, superblock_set, superblock_clear, propagation } kind;
  std::uint64_t bits;
  bool recursive = false;
};

// <linux/mount.h> of older headers lacks it (Linux 5.14).
constexpr std::uint64_t kNoSymfollow = 0x00200000;

void add_attributes(std::unordered_map<std::string_view, Meaning>& table) {
  using enum Meaning::Kind;
  struct Row {
    std::string_view name;
    std::string_view recursive_name;
    Meaning meaning;
  };
  static constexpr Row kRows[] = {
      {"ro", "rro", {set, MOUNT_ATTR_RDONLY}},
      {"rw", "rrw", {clear, MOUNT_ATTR_RDONLY}},
      {"nosuid", "rnosuid", {set, MOUNT_ATTR_NOSUID}},
      {"suid", "rsuid", {clear, MOUNT_ATTR_NOSUID}},
      {"nodev", "rnodev", {set, MOUNT_ATTR_NODEV}},
      {"dev", "rdev", {clear, MOUNT_ATTR_NODEV}},
      {"noexec", "rnoexec", {set, MOUNT_ATTR_NOEXEC}},
      {"exec", "rexec", {clear, MOUNT_ATTR_NOEXEC}},
      {"nodiratime", "rnodiratime", {set, MOUNT_ATTR_NODIRATIME}},
      {"diratime", "rdiratime", {clear, MOUNT_ATTR_NODIRATIME}},
      {"nosymfollow", "rnosymfollow", {set, kNoSymfollow}},
      {"symfollow", "rsymfollow", {clear, kNoSymfollow}},
      {"noatime", "rnoatime", {set, MOUNT_ATTR_NOATIME}},
      {"atime", "ratime", {clear, MOUNT_ATTR__ATIME}},
      {"relatime", "rrelatime", {set, MOUNT_ATTR_RELATIME}},
      {"norelatime", "rnorelatime", {clear, MOUNT_ATTR__ATIME}},
      {"strictatime", "rstrictatime", {set, MOUNT_ATTR_STRICTATIME}},
      {"nostrictatime", "rnostrictatime", {clear, MOUNT_ATTR__ATIME}},
  };
  for (const Row& row : kRows) {
    table.emplace(row.name, row.meaning);
    Meaning recursive = row.meaning;
    recursive.recursive = true;
    table.emplace(row.recursive_name, recursive);
  }
}

const std::unordered_map<std::string_view, Meaning>& meanings() {
  using enum Meaning::Kind;
  static const auto table = [] {
    std::unordered_map<std::string_view, Meaning> map = {
        {"defaults", {nothing, 0}},
        {"sync", {superblock_set, MS_SYNCHRONOUS}},
        {"async", {superblock_clear, MS_SYNCHRONOUS}},
        {"dirsync", {superblock_set, MS_DIRSYNC}},
        {"remount", {superblock_set, MS_REMOUNT}},
        {"mand", {superblock_set, MS_MANDLOCK}},
        {"nomand", {superblock_clear, MS_MANDLOCK}},
        {"lazytime", {superblock_set, MS_LAZYTIME}},
        {"nolazytime", {superblock_clear, MS_LAZYTIME}},
        {"iversion", {superblock_set, MS_I_VERSION}},
        {"noiversion", {superblock_clear, MS_I_VERSION}},
        {"silent", {superblock_set, MS_SILENT}},
        {"loud", {superblock_clear, MS_SILENT}},
        {"acl", {superblock_set, MS_POSIXACL}},
        {"noacl", {superblock_clear, MS_POSIXACL}},
        {"shared", {propagation, MS_SHARED}},
        {"slave", {propagation, MS_SLAVE}},
        {"private", {propagation, MS_PRIVATE}},
        {"unbindable", {propagation, MS_UNBINDABLE}},
        {"rshared", {propagation, MS_SHARED, true}},
        {"rslave", {propagation, MS_SLAVE, true}},
        {"rprivate", {propagation, MS_PRIVATE, true}},
        {"runbindable", {propagation, MS_UNBINDABLE, true}},
    };
    add_attributes(map);
    return map;
  }();
  return table;
}

// The atime modes are one field: setting one replaces another, and mount_setattr(2) wants the whole
// field cleared with it. Its value "relatime" is 0, the kernel's default.
void apply_attribute(const Meaning& meaning, std::uint64_t& set, std::uint64_t& clear) {
  const bool is_atime = (meaning.bits & MOUNT_ATTR__ATIME) != 0 || meaning.bits == 0;
  const std::uint64_t field = is_atime ? std::uint64_t{MOUNT_ATTR__ATIME} : meaning.bits;
  set &= ~field;
  if (meaning.kind == Meaning::Kind::set) {
    set |= meaning.bits;
    clear = is_atime ? clear | field : clear & ~field;
  } else {
    clear |= field;
  }
}

void apply(const Meaning& meaning, MountOptions& result) {
  switch (meaning.kind) {
    case Meaning::Kind::nothing:
      break;
    case Meaning::Kind::set:
    case Meaning::Kind::clear:
      if (meaning.recursive) {
        apply_attribute(meaning, result.recursive_set_attributes,
                        result.recursive_clear_attributes);
      } else {
        apply_attribute(meaning, result.set_attributes, result.clear_attributes);
      }
      break;
    case Meaning::Kind::superblock_set:
      result.superblock_flags |= meaning.bits;
      result.superblock_clear_flags &= ~meaning.bits;
      break;
    case Meaning::Kind::superblock_clear:
      result.superblock_flags &= ~meaning.bits;
      result.superblock_clear_flags |= meaning.bits;
      break;
    case Meaning::Kind::propagation:
      result.propagation = meaning.bits;
      result.propagation_recursive = meaning.recursive;
      break;
  }
}

bool apply_special(std::string_view option, MountOptions& result) {
  if (option == "bind" || option == "rbind") {
    result.bind = true;
    result.recursive_bind = option == "rbind";
  } else if (option == "idmap" || option == "ridmap") {
    result.idmap = true;
    result.recursive_idmap = option == "ridmap";
  } else if (option == "tmpcopyup") {
    result.tmpcopyup = true;
  } else {
    return false;
  }
  return true;
}

}  // namespace

MountOptions parse_mount_options(const std::vector<std::string>& options) {
  MountOptions result;
  for (const std::string& option : options) {
    if (apply_special(option, result)) continue;
    if (const auto found = meanings().find(option); found != meanings().end()) {
      apply(found->second, result);
    } else if (!option.empty()) {
      result.data.push_back(option);
    }
  }
  return result;
}

}  // namespace container
