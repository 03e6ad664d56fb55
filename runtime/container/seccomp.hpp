// The seccomp policy of a container as OCI's linux.seccomp has it, Docker's default policy, and
// Docker's profile files. seccomp_program.hpp makes a BPF program of it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace container {

/// SECCOMP_RET_… of seccomp(2); `error` returns an errno.
enum class SeccompAction { kill_thread, kill_process, trap, error, trace, allow, log, notify };
enum class SeccompOperator {
  not_equal,
  less,
  less_or_equal,
  equal,
  greater_or_equal,
  greater,
  masked_equal,  ///< (argument & value) == value_two
};

struct SeccompArgument {
  std::uint32_t index = 0;  ///< 0 … 5
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;
  SeccompOperator op = SeccompOperator::equal;
};

struct SeccompRule {
  std::vector<std::string> names;
  SeccompAction action = SeccompAction::allow;
  std::optional<std::uint32_t> errno_ret;  ///< EPERM when absent
  /// All must hold; several about the same argument are alternatives, each a rule of its own.
  std::vector<SeccompArgument> args;
};

struct Seccomp {
  SeccompAction default_action = SeccompAction::error;
  std::optional<std::uint32_t> default_errno_ret;  ///< EPERM when absent
  std::vector<std::string> architectures;          ///< "SCMP_ARCH_…"; the native one is implied
  std::vector<std::string> flags;                  ///< "SECCOMP_FILTER_FLAG_…"
  std::string listener_path;
  std::string listener_metadata;
  std::vector<SeccompRule> syscalls;
};

/// "SCMP_ACT_…" and "SCMP_CMP_…"; nothing for an unknown name.
std::optional<SeccompAction> seccomp_action(std::string_view name) noexcept;
std::string_view seccomp_action_name(SeccompAction action) noexcept;
std::optional<SeccompOperator> seccomp_operator(std::string_view name) noexcept;
std::string_view seccomp_operator_name(SeccompOperator op) noexcept;

/// What a Docker profile's includes and excludes are tested against.
struct SeccompEnvironment {
  std::string architecture;               ///< Docker's name: "amd64", "arm64" …
  std::vector<std::string> capabilities;  ///< "CAP_…" names that the container has
  int kernel_major = 0;
  int kernel_minor = 0;
};
/// This machine with `capabilities`.
SeccompEnvironment seccomp_environment(std::vector<std::string> capabilities);

/// Docker's default policy for a container with these capabilities: EPERM for what is not listed.
Seccomp default_seccomp(const SeccompEnvironment& environment);

/// A Docker profile (archMap, includes, excludes, minKernel) or a plain OCI seccomp object.
/// Throws os::Error that names the property in question.
Seccomp seccomp_from_profile(const nlohmann::json& profile, const SeccompEnvironment& environment);

}  // namespace container
