#include "runtime/container/seccomp_program.hpp"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "runtime/container/capability.hpp"
#include "runtime/container/seccomp_syscalls.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

constexpr std::uint32_t kDeny = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kMissing = SECCOMP_RET_ERRNO | ENOSYS;

// The kernel's interpreter for the instructions that a filter may hold (seccomp(2)).
std::uint32_t run(const SeccompProgram& program, const seccomp_data& data) {
  std::uint32_t accumulator = 0;
  for (std::size_t pc = 0; pc < program.size(); ++pc) {
    const sock_filter& each = program[pc];
    switch (each.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (each.k % 4 != 0 || each.k + 4 > sizeof(data)) throw std::out_of_range("load");
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + each.k, 4);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        accumulator &= each.k;
        break;
      case BPF_JMP | BPF_JA:
        pc += each.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        pc += accumulator == each.k ? each.jt : each.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        pc += accumulator >= each.k ? each.jt : each.jf;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        pc += accumulator > each.k ? each.jt : each.jf;
        break;
      case BPF_RET | BPF_K:
        return each.k;
      default:
        // libseccomp's programs, which ours are compared with, know some more.
        if (each.code == (BPF_JMP | BPF_JSET | BPF_K)) {
          pc += (accumulator & each.k) != 0 ? each.jt : each.jf;
          break;
        }
        throw std::out_of_range("instruction");
    }
  }
  throw std::out_of_range("end");
}

seccomp_data call(std::uint32_t arch, std::uint32_t number, std::vector<std::uint64_t> args = {}) {
  seccomp_data data{};
  data.arch = arch;
  data.nr = static_cast<int>(number);
  for (std::size_t i = 0; i < args.size(); ++i) data.args[i] = args[i];
  return data;
}

SeccompEnvironment amd64(CapabilityMask capabilities = default_capabilities()) {
  return {.architecture = "amd64",
          .capabilities = capability_names(capabilities),
          .kernel_major = 6,
          .kernel_minor = 1};
}

std::uint32_t native(const SeccompProgram& program, const char* name,
                     std::vector<std::uint64_t> args = {}) {
  const auto numbers = syscall_numbers(*syscall_abi("SCMP_ARCH_X86_64"));
  return run(program, call(AUDIT_ARCH_X86_64, numbers.at(name), std::move(args)));
}

TEST(SeccompDefault, AnswersTheProbesOfADefaultContainer) {
  const SeccompProgram program = compile_seccomp(default_seccomp(amd64()));
  for (const char* name :
       {"io_uring_setup", "keyctl", "unshare", "setns", "mount", "pivot_root", "bpf",
        "perf_event_open", "userfaultfd", "open_by_handle_at", "clock_settime", "lsm_list_modules",
        "kexec_load", "init_module", "reboot", "swapon", "uselib", "vhangup", "quotactl"}) {
    EXPECT_EQ(native(program, name), kDeny) << name;
  }
  EXPECT_EQ(native(program, "personality", {0x40000}), kDeny);
  EXPECT_EQ(native(program, "personality", {0x20008}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(native(program, "personality", {0xffffffff}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(native(program, "clone3"), kMissing);
  for (const std::uint32_t number :
       {467U, 468U, 469U, 470U, 500U, 0x3fffffffU, 0x40000000U + 600}) {
    EXPECT_EQ(run(program, call(AUDIT_ARCH_X86_64, number)), kMissing) << number;
    EXPECT_EQ(run(program, call(AUDIT_ARCH_I386, number)), kMissing) << number;
  }
  for (const char* name :
       {"name_to_handle_at", "statmount", "read", "cachestat", "fchmodat2", "map_shadow_stack",
        "futex_wait", "mseal", "removexattrat", "uretprobe", "arch_prctl", "chroot", "ptrace"}) {
    EXPECT_EQ(native(program, name), SECCOMP_RET_ALLOW) << name;
  }
}

TEST(SeccompDefault, KeepsAwayFromVsockAndAlgWhateverTheUpperHalf) {
  const SeccompProgram program = compile_seccomp(default_seccomp(amd64()));
  for (std::uint64_t family = 0; family < 256; ++family) {
    const bool is_denied = family == 38 || family == 40;
    EXPECT_EQ(native(program, "socket", {family}), is_denied ? kDeny : SECCOMP_RET_ALLOW) << family;
    EXPECT_EQ(native(program, "socket", {family | 0x100000000}), kDeny) << family;
  }
}

TEST(SeccompDefault, LetsCloneMakeNoNamespace) {
  const SeccompProgram program = compile_seccomp(default_seccomp(amd64()));
  EXPECT_EQ(native(program, "clone", {0x01200011}), SECCOMP_RET_ALLOW);
  for (const std::uint64_t flag : {0x00020000U, 0x02000000U, 0x04000000U, 0x08000000U, 0x10000000U,
                                   0x20000000U, 0x40000000U}) {
    EXPECT_EQ(native(program, "clone", {flag | 17}), kDeny) << flag;
  }
}

TEST(SeccompDefault, FollowsTheCapabilities) {
  const CapabilityMask admin = CapabilityMask{1} << *capability_number("SYS_ADMIN");
  const SeccompProgram program =
      compile_seccomp(default_seccomp(amd64(default_capabilities() | admin)));
  EXPECT_EQ(native(program, "clone3"), SECCOMP_RET_ALLOW);
  EXPECT_EQ(native(program, "clone", {0x10000000}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(native(program, "mount"), SECCOMP_RET_ALLOW);
  EXPECT_EQ(native(program, "reboot"), kDeny);
}

TEST(SeccompProgram, KillsForeignArchitectures) {
  const SeccompProgram program = compile_seccomp(default_seccomp(amd64()));
  EXPECT_EQ(run(program, call(AUDIT_ARCH_AARCH64, 0)), SECCOMP_RET_KILL_PROCESS);
  Seccomp narrow = default_seccomp(amd64());
  narrow.architectures = {"SCMP_ARCH_X86_64"};
  const SeccompProgram only = compile_seccomp(narrow);
  EXPECT_EQ(run(only, call(AUDIT_ARCH_I386, 1)), SECCOMP_RET_KILL_PROCESS);
  EXPECT_EQ(run(only, call(AUDIT_ARCH_X86_64, 0x40000001)), SECCOMP_RET_KILL_PROCESS);
  EXPECT_EQ(run(only, call(AUDIT_ARCH_X86_64, 0xffffffff)), kMissing);
}

// What libseccomp makes of the same rules, for the names its release knows.
SeccompProgram by_libseccomp(const Seccomp& policy) {
  const std::unique_ptr<void, decltype(&::seccomp_release)> context(
      ::seccomp_init(SCMP_ACT_ERRNO(EPERM)), &::seccomp_release);
  for (const SeccompRule& rule : policy.syscalls) {
    const std::uint32_t action =
        rule.action == SeccompAction::allow ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(*rule.errno_ret);
    for (const std::string& name : rule.names) {
      const int number = ::seccomp_syscall_resolve_name(name.c_str());
      if (number < 0) continue;
      std::vector<scmp_arg_cmp> args;
      for (const SeccompArgument& each : rule.args) {
        const auto op = static_cast<scmp_compare>(static_cast<int>(each.op) + 1);
        args.push_back({each.index, op, each.value, each.value_two});
      }
      ::seccomp_rule_add_array(context.get(), action, number, static_cast<unsigned>(args.size()),
                               args.data());
    }
  }
  os::Pipe pipe = os::make_pipe();
  ::fcntl(pipe.write.get(), F_SETPIPE_SZ, 1 << 20);
  ::seccomp_export_bpf(context.get(), pipe.write.get());
  pipe.write.reset();
  const std::string bytes = os::read_all(pipe.read.get(), 1 << 20, "the exported program");
  SeccompProgram program(bytes.size() / sizeof(sock_filter));
  std::memcpy(program.data(), bytes.data(), bytes.size());
  return program;
}

TEST(SeccompProgram, AgreesWithLibseccompOnEveryCallItKnows) {
  const Seccomp policy = default_seccomp(amd64());
  const SeccompProgram ours = compile_seccomp(policy);
  const SeccompProgram theirs = by_libseccomp(policy);
  const std::vector<std::uint64_t> values = {0,          1,          8,          37,        38,
                                             39,         40,         41,         0x20000,   0x40000,
                                             0x02000000, 0x10000000, 0x7e020000, 0xffffffff};
  const std::uint32_t uretprobe = 335;  // newer than libseccomp
  for (std::uint32_t number = 0; number <= 446; ++number) {
    if (number == uretprobe) continue;
    for (const std::uint64_t value : values) {
      const seccomp_data data = call(AUDIT_ARCH_X86_64, number, {value, value, value});
      ASSERT_EQ(run(ours, data), run(theirs, data)) << number << " with " << value;
    }
  }
  EXPECT_LT(ours.size(), 1500U);
}

TEST(SeccompProgram, ComparesAll64Bits) {
  const auto answer = [](SeccompOperator op, std::uint64_t value, std::uint64_t two,
                         std::uint64_t argument) {
    Seccomp policy;
    policy.syscalls = {{.names = {"read"}, .args = {{1, value, two, op}}}};
    return run(compile_seccomp(policy), call(AUDIT_ARCH_X86_64, 0, {0, argument})) ==
           SECCOMP_RET_ALLOW;
  };
  const std::vector<std::uint64_t> numbers = {
      0, 1, 0xffffffff, 0x100000000, 0x100000001, 0x1ffffffff, 0x200000000, ~std::uint64_t{0}};
  for (const std::uint64_t a : numbers) {
    for (const std::uint64_t b : numbers) {
      EXPECT_EQ(answer(SeccompOperator::equal, b, 0, a), a == b) << a << " " << b;
      EXPECT_EQ(answer(SeccompOperator::not_equal, b, 0, a), a != b) << a << " " << b;
      EXPECT_EQ(answer(SeccompOperator::less, b, 0, a), a < b) << a << " " << b;
      EXPECT_EQ(answer(SeccompOperator::less_or_equal, b, 0, a), a <= b) << a << " " << b;
      EXPECT_EQ(answer(SeccompOperator::greater, b, 0, a), a > b) << a << " " << b;
      EXPECT_EQ(answer(SeccompOperator::greater_or_equal, b, 0, a), a >= b) << a << " " << b;
      EXPECT_EQ(answer(SeccompOperator::masked_equal, b, b & 5, a), (a & b) == (b & 5));
    }
  }
}

TEST(SeccompProgram, SaysNoToWhatItCannotKeep) {
  Seccomp policy;
  policy.default_action = SeccompAction::allow;
  policy.syscalls = {{.names = {"no_such_call"}, .action = SeccompAction::error}};
  EXPECT_THROW(compile_seccomp(policy), os::Error);
  policy.syscalls.clear();
  policy.architectures = {"SCMP_ARCH_PDP11"};
  EXPECT_THROW(compile_seccomp(policy), os::Error);
  EXPECT_THROW(seccomp_flags({"SECCOMP_FILTER_FLAG_MAYBE"}), os::Error);
}

// Podman's profile has both for setns, mount and others.
TEST(SeccompProgram, TheFirstOfTwoRulesCounts) {
  Seccomp policy;
  policy.syscalls = {{.names = {"read"}, .action = SeccompAction::allow},
                     {.names = {"read", "write"}, .action = SeccompAction::error, .errno_ret = 1}};
  const SeccompProgram program = compile_seccomp(policy);
  EXPECT_EQ(run(program, call(AUDIT_ARCH_X86_64, 0, {})), SECCOMP_RET_ALLOW);
  EXPECT_EQ(run(program, call(AUDIT_ARCH_X86_64, 1, {})), SECCOMP_RET_ERRNO | 1U);
}

TEST(SeccompProgram, PermissivePoliciesLetNewCallsPass) {
  Seccomp policy;
  policy.default_action = SeccompAction::allow;
  policy.syscalls = {{.names = {"read"}, .action = SeccompAction::error}};
  const SeccompProgram program = compile_seccomp(policy);
  EXPECT_EQ(run(program, call(AUDIT_ARCH_X86_64, 0)), kDeny);
  EXPECT_EQ(run(program, call(AUDIT_ARCH_X86_64, 9999)), SECCOMP_RET_ALLOW);
}

bool same(const SeccompProgram& a, const SeccompProgram& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), a.size() * sizeof(sock_filter)) == 0;
}

TEST(SeccompCache, GivesTheSameProgramAndSurvivesDamage) {
  const os::TempDir directory;
  const std::string cache = directory.path() + "/seccomp";
  const Seccomp policy = default_seccomp(amd64());
  const SeccompProgram compiled = seccomp_program(policy, cache);
  ASSERT_EQ(os::list_directory(cache).size(), 1U);
  EXPECT_TRUE(same(seccomp_program(policy, cache), compiled));
  const std::string file = cache + "/" + os::list_directory(cache)[0];
  os::write_file_atomic(file, os::read_file(file).substr(0, 100));
  EXPECT_TRUE(same(seccomp_program(policy, cache), compiled));
  EXPECT_TRUE(same(seccomp_program(policy, "/proc/no/such/place"), compiled));
}

TEST(SeccompProfile, ReadsDockersConditions) {
  const auto profile = nlohmann::json::parse(R"({
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
    "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
                {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
    "syscalls": [
      {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
      {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
      {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38,
       "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
      {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
      {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "99.1"}},
      {"names": ["sync"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["arm64"]}}]})");
  const Seccomp policy = seccomp_from_profile(profile, amd64());
  EXPECT_EQ(policy.architectures, (std::vector<std::string>{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"}));
  std::vector<std::string> names;
  for (const SeccompRule& rule : policy.syscalls) names.push_back(rule.names.at(0));
  EXPECT_EQ(names, (std::vector<std::string>{"read", "clone3", "ptrace"}));
}

TEST(SeccompProfile, NamesWhatIsWrong) {
  const auto bad = nlohmann::json::parse(R"({"defaultAction": "SCMP_ACT_MAYBE", "syscalls": [
    {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "op": "SCMP_CMP_X"}]}]})");
  try {
    seccomp_from_profile(bad, amd64());
    FAIL();
  } catch (const os::Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("seccomp.defaultAction: 'SCMP_ACT_MAYBE'"), std::string::npos) << text;
    EXPECT_NE(text.find("seccomp.syscalls[0].args[0].op"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace container
