// From a seccomp policy to the BPF program that the kernel runs, and its installation.
#pragma once

#include <linux/filter.h>

#include <string>
#include <string_view>
#include <vector>

#include "runtime/container/seccomp.hpp"
#include "runtime/os/fd.hpp"

namespace container {

using SeccompProgram = std::vector<sock_filter>;

/// Compiles `policy` for its architectures. Consecutive system calls with one answer are one leaf
/// of a balanced tree of comparisons. A number above the newest one the policy names answers ENOSYS
/// unless the default action lets calls pass: libc falls back to older calls on ENOSYS alone. A
/// foreign architecture is killed. Of two rules without conditions about one call the first counts.
/// Throws os::Error for an unknown architecture, an unknown system call whose rule would restrict,
/// or a program too long for the kernel.
SeccompProgram compile_seccomp(const Seccomp& policy);

/// The same through a cache: `cache_directory` (made when missing) holds a file per policy, checked
/// against the whole policy when read. A damaged or unwritable cache costs time, nothing else.
SeccompProgram seccomp_program(const Seccomp& policy, const std::string& cache_directory);

/// Throws os::Error for a name that is no "SCMP_ARCH_…" we can compile for.
void check_seccomp_architectures(const std::vector<std::string>& names);
/// SECCOMP_FILTER_FLAG_… bits of `names`; throws os::Error for an unknown one.
unsigned seccomp_flags(const std::vector<std::string>& names);
/// Whether the policy has an action that sends calls to a listener.
bool needs_listener(const Seccomp& policy) noexcept;

/// Installs the program on the calling thread (seccomp(2)); needs no_new_privs or CAP_SYS_ADMIN.
/// With `listener` the notification descriptor is returned, otherwise an empty one.
os::UniqueFd install_seccomp(const SeccompProgram& program, unsigned flags, bool listener = false);

}  // namespace container
