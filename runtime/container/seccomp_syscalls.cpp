#include "runtime/container/seccomp_syscalls.hpp"

#include <linux/audit.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "runtime/os/error.hpp"

namespace container {
namespace {

constexpr std::uint32_t kX32Bit = 0x40000000;

constexpr std::array<SyscallAbi, 15> kAbis = {{
    {"SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, 0},
    {"SCMP_ARCH_X86", AUDIT_ARCH_I386, SCMP_ARCH_X86, 0},
    {"SCMP_ARCH_X32", AUDIT_ARCH_X86_64, SCMP_ARCH_X32, kX32Bit},
    {"SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, 0},
    {"SCMP_ARCH_ARM", AUDIT_ARCH_ARM, SCMP_ARCH_ARM, 0},
    {"SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64, SCMP_ARCH_RISCV64, 0},
    {"SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE, SCMP_ARCH_PPC64LE, 0},
    {"SCMP_ARCH_S390X", AUDIT_ARCH_S390X, SCMP_ARCH_S390X, 0},
    {"SCMP_ARCH_S390", AUDIT_ARCH_S390, SCMP_ARCH_S390, 0},
    {"SCMP_ARCH_MIPS", AUDIT_ARCH_MIPS, SCMP_ARCH_MIPS, 4000},
    {"SCMP_ARCH_MIPS64", AUDIT_ARCH_MIPS64, SCMP_ARCH_MIPS64, 5000},
    {"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32, SCMP_ARCH_MIPS64N32, 6000},
    {"SCMP_ARCH_MIPSEL", AUDIT_ARCH_MIPSEL, SCMP_ARCH_MIPSEL, 4000},
    {"SCMP_ARCH_MIPSEL64", AUDIT_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64, 5000},
    {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_MIPSEL64N32, 6000},
}};

struct NewSyscall {
  std::string_view name;
  std::uint32_t number;
};

// Since 5.1 a new system call has one number everywhere, counted from the ABI's first.
constexpr std::array<NewSyscall, 20> kNewSyscalls = {{
    {"memfd_secret", 447},      {"process_mrelease", 448},
    {"futex_waitv", 449},       {"set_mempolicy_home_node", 450},
    {"cachestat", 451},         {"fchmodat2", 452},
    {"map_shadow_stack", 453},  {"futex_wake", 454},
    {"futex_wait", 455},        {"futex_requeue", 456},
    {"statmount", 457},         {"listmount", 458},
    {"lsm_get_self_attr", 459}, {"lsm_set_self_attr", 460},
    {"lsm_list_modules", 461},  {"mseal", 462},
    {"setxattrat", 463},        {"getxattrat", 464},
    {"listxattrat", 465},       {"removexattrat", 466},
}};

// New ones that a single ABI has.
struct AbiSyscall {
  std::string_view abi;
  NewSyscall syscall;
};
constexpr std::array<AbiSyscall, 2> kAbiSyscalls = {{
    {"SCMP_ARCH_X86_64", {"uretprobe", 335}},
    {"SCMP_ARCH_RISCV64", {"riscv_hwprobe", 258}},
}};

// Past every number in use; Arm has a few of its own far above
// (arch/arm/include/uapi/asm/unistd.h).
constexpr std::uint32_t kNumbers = 700;
constexpr std::uint32_t kArmPrivate = 0x0f0000;

void add_range(const SyscallAbi& abi, std::uint32_t first, std::uint32_t count,
               std::unordered_map<std::string, std::uint32_t>& numbers) {
  for (std::uint32_t number = first; number < first + count; ++number) {
    const std::unique_ptr<char, decltype(&std::free)> name(
        ::seccomp_syscall_resolve_num_arch(abi.scmp_arch, static_cast<int>(number)), &std::free);
    if (name) numbers.emplace(name.get(), number);
  }
}

}  // namespace

std::optional<SyscallAbi> syscall_abi(std::string_view name) noexcept {
  const auto found = std::find_if(kAbis.begin(), kAbis.end(),
                                  [&](const SyscallAbi& abi) { return abi.name == name; });
  return found == kAbis.end() ? std::nullopt : std::optional(*found);
}

SyscallAbi native_syscall_abi() {
  const std::uint32_t native = ::seccomp_arch_native();
  for (const SyscallAbi& abi : kAbis) {
    if (abi.scmp_arch == native) return abi;
  }
  throw os::Error("compile a seccomp policy: this architecture is not supported");
}

// Asked by number: by name libseccomp answers with a pseudo number where an ABI has both a
// multiplexer (socketcall, ipc) and the plain call.
std::unordered_map<std::string, std::uint32_t> syscall_numbers(const SyscallAbi& abi) {
  std::unordered_map<std::string, std::uint32_t> numbers;
  numbers.reserve(1024);
  add_range(abi, abi.first, kNumbers, numbers);
  if (abi.scmp_arch == SCMP_ARCH_ARM) add_range(abi, kArmPrivate, 8, numbers);
  for (const NewSyscall& each : kNewSyscalls) {
    numbers.emplace(each.name, abi.first + each.number);
  }
  for (const AbiSyscall& each : kAbiSyscalls) {
    if (each.abi == abi.name) numbers.emplace(each.syscall.name, each.syscall.number);
  }
  return numbers;
}

bool is_known_syscall(const std::string& name) {
  return ::seccomp_syscall_resolve_name(name.c_str()) != __NR_SCMP_ERROR ||
         std::any_of(kNewSyscalls.begin(), kNewSyscalls.end(),
                     [&](const NewSyscall& each) { return each.name == name; }) ||
         std::any_of(kAbiSyscalls.begin(), kAbiSyscalls.end(),
                     [&](const AbiSyscall& each) { return each.syscall.name == name; });
}

}  // namespace container
