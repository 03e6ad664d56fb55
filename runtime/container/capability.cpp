#include "runtime/container/capability.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

constexpr std::string_view kPrefix = "CAP_";

// By number (capabilities(7)), without the prefix.
constexpr std::array<std::string_view, 41> kNames = {
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
};

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

constexpr CapabilityMask bit(unsigned number) { return CapabilityMask{1} << number; }

bool is_all(std::string_view name) {
  const std::string text = upper(name);
  return text == "ALL" || text == "CAP_ALL";
}

bool has_all(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), is_all);
}

std::vector<std::string> without_all(const std::vector<std::string>& names) {
  std::vector<std::string> rest;
  std::copy_if(names.begin(), names.end(), std::back_inserter(rest),
               [](const std::string& name) { return !is_all(name); });
  return rest;
}

unsigned last_capability() {
  static const unsigned last = [] {
    const std::string text = os::read_file("/proc/sys/kernel/cap_last_cap", 64);
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number > 63) {
      throw os::Error("read '/proc/sys/kernel/cap_last_cap': not a capability number: " + text);
    }
    return number;
  }();
  return last;
}

}  // namespace

CapabilityMask default_capabilities() noexcept {
  return bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_FSETID) | bit(CAP_FOWNER) |
         bit(CAP_MKNOD) | bit(CAP_NET_RAW) | bit(CAP_SETGID) | bit(CAP_SETUID) | bit(CAP_SETFCAP) |
         bit(CAP_SETPCAP) | bit(CAP_NET_BIND_SERVICE) | bit(CAP_SYS_CHROOT) | bit(CAP_KILL) |
         bit(CAP_AUDIT_WRITE);
}

CapabilityMask all_capabilities() {
  const unsigned last = last_capability();
  return last == 63 ? ~CapabilityMask{0} : bit(last + 1) - 1;
}

CapabilityMask own_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> data{};
  os::check(::syscall(SYS_capget, &header, data.data()),
            [] { return std::string("read our capabilities"); });
  return data[0].permitted | CapabilityMask{data[1].permitted} << 32U;
}

std::optional<unsigned> capability_number(std::string_view name) noexcept {
  if (name.size() > 32) return std::nullopt;
  std::string text = upper(name);
  if (text.starts_with(kPrefix)) text.erase(0, kPrefix.size());
  const auto found = std::find(kNames.begin(), kNames.end(), text);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<unsigned>(found - kNames.begin());
}

std::string capability_name(unsigned number) {
  return std::string(kPrefix) +
         (number < kNames.size() ? std::string(kNames[number]) : std::to_string(number));
}

CapabilityMask capability_mask(const std::vector<std::string>& names) {
  CapabilityMask mask = 0;
  std::string unknown;
  for (const std::string& name : names) {
    const auto number = capability_number(name);
    if (number && *number <= last_capability()) {
      mask |= bit(*number);
    } else {
      unknown += (unknown.empty() ? "'" : ", '") + name + "'";
      if (number) unknown += " (this kernel is too old for it)";
    }
  }
  if (!unknown.empty()) throw os::Error("unknown capability " + unknown);
  return mask;
}

std::vector<std::string> capability_names(CapabilityMask mask) {
  std::vector<std::string> names;
  for (; mask != 0; mask &= mask - 1) {
    names.push_back(capability_name(static_cast<unsigned>(std::countr_zero(mask))));
  }
  return names;
}

CapabilityMask resolve_capabilities(const std::vector<std::string>& add,
                                    const std::vector<std::string>& drop) {
  const CapabilityMask adds = capability_mask(without_all(add));
  const CapabilityMask drops = capability_mask(without_all(drop));
  if (has_all(add)) return own_capabilities() & ~drops;
  if (has_all(drop)) return adds;
  return (default_capabilities() & ~drops) | adds;
}

CapabilityMasks capability_masks(const Capabilities& capabilities) {
  return {.bounding = capability_mask(capabilities.bounding),
          .effective = capability_mask(capabilities.effective),
          .inheritable = capability_mask(capabilities.inheritable),
          .permitted = capability_mask(capabilities.permitted),
          .ambient = capability_mask(capabilities.ambient)};
}

void drop_bounding_capabilities(CapabilityMask keep) {
  for (unsigned number = 0; number <= last_capability(); ++number) {
    if ((keep & bit(number)) != 0) continue;
    os::check(::prctl(PR_CAPBSET_DROP, number, 0, 0, 0),
              [&] { return "drop " + capability_name(number) + " from the bounding set"; });
  }
}

void set_capabilities(const CapabilityMasks& masks) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  for (unsigned word = 0; word < _LINUX_CAPABILITY_U32S_3; ++word) {
    data[word].effective = static_cast<std::uint32_t>(masks.effective >> (32 * word));
    data[word].permitted = static_cast<std::uint32_t>(masks.permitted >> (32 * word));
    data[word].inheritable = static_cast<std::uint32_t>(masks.inheritable >> (32 * word));
  }
  os::check(::syscall(SYS_capset, &header, data), [] { return "set the capabilities"; });
}

void set_ambient_capabilities(CapabilityMask mask) {
  os::check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0),
            [] { return "clear the ambient capabilities"; });
  for (; mask != 0; mask &= mask - 1) {
    const auto number = static_cast<unsigned>(std::countr_zero(mask));
    os::check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0),
              [&] { return "raise " + capability_name(number) + " in the ambient set"; });
  }
}

}  // namespace container
