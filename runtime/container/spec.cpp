#include "runtime/container/spec.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <utility>

namespace container {
namespace {

// The header of glibc 2.36 lacks it.
constexpr std::uint64_t kCloneNewTime = 0x00000080;

struct NamespaceNames {
  std::string_view name;
  std::string_view proc_name;
  std::uint64_t flag;
};

const NamespaceNames& names(NamespaceType type) noexcept {
  static constexpr std::array<NamespaceNames, 8> kNames = {{
      {"mount", "mnt", CLONE_NEWNS},
      {"pid", "pid", CLONE_NEWPID},
      {"network", "net", CLONE_NEWNET},
      {"ipc", "ipc", CLONE_NEWIPC},
      {"uts", "uts", CLONE_NEWUTS},
      {"user", "user", CLONE_NEWUSER},
      {"cgroup", "cgroup", CLONE_NEWCGROUP},
      {"time", "time", kCloneNewTime},
  }};
  return kNames[static_cast<std::size_t>(type)];
}

}  // namespace

std::string_view namespace_name(NamespaceType type) noexcept { return names(type).name; }
std::uint64_t namespace_clone_flag(NamespaceType type) noexcept { return names(type).flag; }
std::string_view namespace_proc_name(NamespaceType type) noexcept { return names(type).proc_name; }

const Namespace* Linux::find_namespace(NamespaceType type) const noexcept {
  const auto found = std::find_if(namespaces.begin(), namespaces.end(),
                                  [&](const Namespace& each) { return each.type == type; });
  return found == namespaces.end() ? nullptr : &*found;
}

std::optional<int> rlimit_number(std::string_view name) noexcept {
  static constexpr std::array<std::pair<std::string_view, int>, 16> kNumbers = {{
      {"RLIMIT_AS", RLIMIT_AS},
      {"RLIMIT_CORE", RLIMIT_CORE},
      {"RLIMIT_CPU", RLIMIT_CPU},
      {"RLIMIT_DATA", RLIMIT_DATA},
      {"RLIMIT_FSIZE", RLIMIT_FSIZE},
      {"RLIMIT_LOCKS", RLIMIT_LOCKS},
      {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
      {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
      {"RLIMIT_NICE", RLIMIT_NICE},
      {"RLIMIT_NOFILE", RLIMIT_NOFILE},
      {"RLIMIT_NPROC", RLIMIT_NPROC},
      {"RLIMIT_RSS", RLIMIT_RSS},
      {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
      {"RLIMIT_RTTIME", RLIMIT_RTTIME},
      {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
      {"RLIMIT_STACK", RLIMIT_STACK},
  }};
  for (const auto& [each, number] : kNumbers) {
    if (each == name) return number;
  }
  return std::nullopt;
}

bool is_valid_container_id(std::string_view id) noexcept {
  const auto is_word = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-';
  };
  return !id.empty() && id.size() <= 1024 && is_word(id.front()) &&
         std::all_of(id.begin(), id.end(), [&](char c) { return is_word(c) || c == '.'; });
}

}  // namespace container
