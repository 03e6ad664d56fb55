// Docker's seccomp profile files (moby/profiles): OCI's object with conditions on the container.
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "runtime/container/seccomp.hpp"
#include "runtime/container/seccomp_json.hpp"
#include "runtime/os/error.hpp"

namespace container {
namespace {

struct Condition {
  std::vector<std::string> architectures;
  std::vector<std::string> capabilities;
  std::string min_kernel;
};

Condition read_condition(const JsonReader& rule, std::string_view key) {
  Condition condition;
  if (const auto found = rule.find(key); found && found->is_object()) {
    found->property("arches", condition.architectures);
    found->property("caps", condition.capabilities);
    found->property("minKernel", condition.min_kernel);
  }
  return condition;
}

bool has(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// "MAJOR.MINOR…" of a kernel release; nothing when it does not begin so.
std::optional<std::pair<int, int>> kernel_version(std::string_view text) {
  std::pair<int, int> version;
  const char* const end = text.data() + text.size();
  const auto [dot, major_error] = std::from_chars(text.data(), end, version.first);
  if (major_error != std::errc{} || dot == end || *dot != '.') return std::nullopt;
  const auto [rest, minor_error] = std::from_chars(dot + 1, end, version.second);
  if (minor_error != std::errc{}) return std::nullopt;
  return version;
}

bool is_old_enough(const JsonReader& rule, const Condition& condition,
                   const SeccompEnvironment& environment) {
  if (condition.min_kernel.empty()) return true;
  const auto wanted = kernel_version(condition.min_kernel);
  if (!wanted) {
    rule.mistake("minKernel '" + condition.min_kernel + "' is not MAJOR.MINOR");
    return false;
  }
  return std::pair(environment.kernel_major, environment.kernel_minor) >= *wanted;
}

// Includes: all capabilities and one of the architectures; excludes: any of them.
bool applies(const JsonReader& rule, const SeccompEnvironment& environment) {
  const Condition includes = read_condition(rule, "includes");
  const Condition excludes = read_condition(rule, "excludes");
  const auto has_capability = [&](const std::string& name) {
    return has(environment.capabilities, name);
  };
  if (has(excludes.architectures, environment.architecture)) return false;
  if (std::any_of(excludes.capabilities.begin(), excludes.capabilities.end(), has_capability)) {
    return false;
  }
  if (!excludes.min_kernel.empty() && is_old_enough(rule, excludes, environment)) return false;
  if (!includes.architectures.empty() && !has(includes.architectures, environment.architecture)) {
    return false;
  }
  return std::all_of(includes.capabilities.begin(), includes.capabilities.end(), has_capability) &&
         is_old_enough(rule, includes, environment);
}

// archMap: the entry of this machine gives the architecture and its sub-architectures.
void read_architecture_map(const JsonReader& profile, const SeccompEnvironment& environment,
                           std::vector<std::string>& architectures) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kNames = {{
      {"amd64", "SCMP_ARCH_X86_64"},
      {"x86", "SCMP_ARCH_X86"},
      {"arm64", "SCMP_ARCH_AARCH64"},
      {"arm", "SCMP_ARCH_ARM"},
      {"ppc64le", "SCMP_ARCH_PPC64LE"},
      {"s390x", "SCMP_ARCH_S390X"},
      {"riscv64", "SCMP_ARCH_RISCV64"},
      {"mips64", "SCMP_ARCH_MIPS64"},
      {"mips64le", "SCMP_ARCH_MIPSEL64"},
  }};
  const auto map = profile.find("archMap");
  if (!map) return;
  if (!architectures.empty()) {
    return profile.mistake("'architectures' and 'archMap' exclude each other");
  }
  map->for_each([&](const JsonReader& entry) {
    std::string architecture;
    std::vector<std::string> others;
    if (!entry.is_object()) return;
    entry.property("architecture", architecture);
    entry.property("subArchitectures", others);
    for (const auto& [ours, theirs] : kNames) {
      if (ours != environment.architecture || theirs != architecture) continue;
      architectures.push_back(architecture);
      architectures.insert(architectures.end(), others.begin(), others.end());
    }
  });
}

}  // namespace

SeccompEnvironment seccomp_environment(std::vector<std::string> capabilities) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kMachines = {{
      {"x86_64", "amd64"},
      {"i686", "x86"},
      {"aarch64", "arm64"},
      {"armv7l", "arm"},
      {"ppc64le", "ppc64le"},
      {"s390x", "s390x"},
      {"riscv64", "riscv64"},
      {"mips64", "mips64"},
  }};
  utsname name{};
  os::check(::uname(&name), [] { return "ask for the kernel's name"; });
  SeccompEnvironment environment;
  environment.architecture = name.machine;
  for (const auto& [machine, architecture] : kMachines) {
    if (machine == name.machine) environment.architecture = architecture;
  }
  environment.capabilities = std::move(capabilities);
  const auto version = kernel_version(name.release).value_or(std::pair(0, 0));
  environment.kernel_major = version.first;
  environment.kernel_minor = version.second;
  return environment;
}

Seccomp seccomp_from_profile(const nlohmann::json& profile, const SeccompEnvironment& environment) {
  std::vector<std::string> mistakes;
  const JsonReader reader(profile, "seccomp", mistakes);
  Seccomp policy;
  read_json(reader, policy);
  read_architecture_map(reader, environment, policy.architectures);
  // Read again, one by one, for the conditions that OCI's object does not have.
  policy.syscalls.clear();
  std::vector<std::string> rule_mistakes;
  if (const auto rules = reader.find("syscalls"); rules && rules->value().is_array()) {
    rules->for_each([&](const JsonReader& rule) {
      if (!rule.value().is_object() || !applies(rule, environment)) return;
      SeccompRule read;
      read_json(JsonReader(rule.value(), rule.path(), rule_mistakes), read);
      policy.syscalls.push_back(std::move(read));
    });
  }
  throw_mistakes(mistakes);
  return policy;
}

}  // namespace container
