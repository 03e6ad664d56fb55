// Numbers of system calls by architecture: those libseccomp knows and the ones that came after its
// release.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace container {

/// One application binary interface of the kernel.
struct SyscallAbi {
  std::string_view name;         ///< "SCMP_ARCH_X86_64" …
  std::uint32_t audit_arch = 0;  ///< seccomp_data.arch; two ABIs may share one (x86-64, x32)
  std::uint32_t scmp_arch = 0;   ///< libseccomp's token
  std::uint32_t first = 0;       ///< what its numbers begin with
};

/// Nothing for an unknown or unsupported name.
std::optional<SyscallAbi> syscall_abi(std::string_view name) noexcept;
/// The ABI this program was compiled for.
SyscallAbi native_syscall_abi();

/// Name → number, with `first` included, of every system call of the ABI.
std::unordered_map<std::string, std::uint32_t> syscall_numbers(const SyscallAbi& abi);

/// Whether any architecture has a system call of this name.
bool is_known_syscall(const std::string& name);

}  // namespace container
