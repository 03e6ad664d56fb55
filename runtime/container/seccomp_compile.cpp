// The compiler from a seccomp policy to BPF. A filter generator that comes with libseccomp binds
// rules to the names its release knows, on every architecture at once; policies name system calls
// that are newer than it, and numbers newer than the policy must answer ENOSYS. With numbers
// grouped into intervals the program is also shorter and its tree lower.
#include <linux/bpf_common.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <map>
#include <set>

#include "runtime/container/seccomp_program.hpp"
#include "runtime/container/seccomp_syscalls.hpp"
#include "runtime/os/error.hpp"

namespace container {
namespace {

using Code = std::vector<sock_filter>;

// No ABI has numbers this far from its first, but for a few private ones of Arm.
constexpr std::uint32_t kAbiSpan = 0x1000;
constexpr std::uint32_t kX32First = 0x40000000;
constexpr std::uint32_t kMaxErrno = 4095;

// A statement; sizes in BPF classes are below 16 bits by definition.
sock_filter statement(unsigned code, std::uint32_t k) {
  return {.code = static_cast<std::uint16_t>(code), .jt = 0, .jf = 0, .k = k};
}
sock_filter jump(unsigned code, std::uint32_t k, std::size_t jt, std::size_t jf) {
  return {.code = static_cast<std::uint16_t>(BPF_JMP | code | BPF_K),
          .jt = static_cast<std::uint8_t>(jt),
          .jf = static_cast<std::uint8_t>(jf),
          .k = k};
}
sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
Code answer(std::uint32_t value) { return {statement(BPF_RET | BPF_K, value)}; }

void append(Code& code, const Code& more) { code.insert(code.end(), more.begin(), more.end()); }

std::uint32_t return_value(SeccompAction action, std::optional<std::uint32_t> errno_ret) {
  const std::uint32_t data = errno_ret.value_or(EPERM);
  if (data > 0xffff || (action == SeccompAction::error && data > kMaxErrno)) {
    throw os::Error("seccomp: errnoRet " + std::to_string(data) + " is no errno");
  }
  switch (action) {
    case SeccompAction::kill_thread:
      return SECCOMP_RET_KILL_THREAD;
    case SeccompAction::kill_process:
      return SECCOMP_RET_KILL_PROCESS;
    case SeccompAction::trap:
      return SECCOMP_RET_TRAP;
    case SeccompAction::error:
      return SECCOMP_RET_ERRNO | data;
    case SeccompAction::trace:
      return SECCOMP_RET_TRACE | data;
    case SeccompAction::allow:
      return SECCOMP_RET_ALLOW;
    case SeccompAction::log:
      return SECCOMP_RET_LOG;
    case SeccompAction::notify:
      return SECCOMP_RET_USER_NOTIF;
  }
  throw os::Error("seccomp: unknown action");
}

bool lets_pass(SeccompAction action) {
  return action == SeccompAction::allow || action == SeccompAction::log;
}

// The two halves of argument `index`; which comes first depends on the byte order.
std::size_t half_offset(std::uint32_t index, bool high) {
  const bool second = high == (std::endian::native == std::endian::little);
  return offsetof(seccomp_data, args) + 8 * std::size_t{index} + (second ? 4 : 0);
}

// Jumps to "the condition fails" are 255 until the rule's length is known.
constexpr std::uint8_t kFail = 255;

struct Halves {
  std::uint32_t high;
  std::uint32_t low;
};
Halves halves(std::uint64_t value) {
  return {static_cast<std::uint32_t>(value >> 32), static_cast<std::uint32_t>(value)};
}

void append_half(Code& code, std::size_t offset, std::uint32_t mask, std::uint32_t value) {
  code.push_back(load(offset));
  if (mask != ~std::uint32_t{0}) code.push_back(statement(BPF_ALU | BPF_AND | BPF_K, mask));
  code.push_back(jump(BPF_JEQ, value, 0, kFail));
}

Code equality(const SeccompArgument& argument, std::uint64_t mask, std::uint64_t value) {
  Code code;
  append_half(code, half_offset(argument.index, true), halves(mask).high, halves(value).high);
  append_half(code, half_offset(argument.index, false), halves(mask).low, halves(value).low);
  return code;
}

Code inequality(const SeccompArgument& argument) {
  const auto [high, low] = halves(argument.value);
  return {load(half_offset(argument.index, true)), jump(BPF_JEQ, high, 0, 2),
          load(half_offset(argument.index, false)), jump(BPF_JEQ, low, kFail, 0)};
}

// `greater` is BPF_JGT or BPF_JGE for the lower halves; `holds` whether that is what is wanted or
// its contrary.
Code order(const SeccompArgument& argument, unsigned greater, bool holds) {
  const auto [high, low] = halves(argument.value);
  Code code = {load(half_offset(argument.index, true))};
  if (holds) {
    code.push_back(jump(BPF_JGT, high, 3, 0));
    code.push_back(jump(BPF_JEQ, high, 0, kFail));
    code.push_back(load(half_offset(argument.index, false)));
    code.push_back(jump(greater, low, 0, kFail));
  } else {
    code.push_back(jump(BPF_JGT, high, kFail, 0));
    code.push_back(jump(BPF_JEQ, high, 0, 2));
    code.push_back(load(half_offset(argument.index, false)));
    code.push_back(jump(greater, low, kFail, 0));
  }
  return code;
}

Code condition(const SeccompArgument& argument) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  if (argument.index > 5) throw os::Error("seccomp: a system call has arguments 0 to 5 only");
  switch (argument.op) {
    case SeccompOperator::equal:
      return equality(argument, kAll, argument.value);
    case SeccompOperator::masked_equal:
      return equality(argument, argument.value, argument.value_two);
    case SeccompOperator::not_equal:
      return inequality(argument);
    case SeccompOperator::greater:
      return order(argument, BPF_JGT, true);
    case SeccompOperator::greater_or_equal:
      return order(argument, BPF_JGE, true);
    case SeccompOperator::less:
      return order(argument, BPF_JGE, false);
    case SeccompOperator::less_or_equal:
      return order(argument, BPF_JGT, false);
  }
  throw os::Error("seccomp: unknown comparison");
}

// All conditions, then the answer; falls through to what follows when one fails.
Code conditional(const std::vector<SeccompArgument>& arguments, std::uint32_t value) {
  Code code;
  for (const SeccompArgument& argument : arguments) append(code, condition(argument));
  append(code, answer(value));
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (BPF_CLASS(code[i].code) != BPF_JMP) continue;
    const auto distance = static_cast<std::uint8_t>(code.size() - i - 1);
    if (code[i].jt == kFail) code[i].jt = distance;
    if (code[i].jf == kFail) code[i].jf = distance;
  }
  return code;
}

// What the policy says of one system call.
struct Verdict {
  std::optional<std::uint32_t> unconditional;
  Code conditional;  // in the order of the policy

  Code code(std::uint32_t default_value) const {
    if (unconditional) return answer(*unconditional);
    Code result = conditional;
    append(result, answer(default_value));
    return result;
  }
};

std::vector<std::vector<SeccompArgument>> alternatives(const std::vector<SeccompArgument>& args) {
  std::set<std::uint32_t> indices;
  for (const SeccompArgument& argument : args) indices.insert(argument.index);
  if (indices.size() == args.size()) return {args};
  std::vector<std::vector<SeccompArgument>> result;
  for (const SeccompArgument& argument : args) result.push_back({argument});
  return result;
}

/// Of two rules without conditions about a call the first counts, as with libseccomp: other
/// engines' profiles first allow what the capabilities permit and then forbid whole groups.
void add_rule(Verdict& verdict, const SeccompRule& rule) {
  const std::uint32_t value = return_value(rule.action, rule.errno_ret);
  if (rule.args.empty()) {
    if (!verdict.unconditional) verdict.unconditional = value;
    return;
  }
  for (const auto& arguments : alternatives(rule.args)) {
    append(verdict.conditional, conditional(arguments, value));
  }
}

// Number → verdict of one ABI.
std::map<std::uint32_t, Verdict> verdicts(const Seccomp& policy, const SyscallAbi& abi) {
  const auto numbers = syscall_numbers(abi);
  std::map<std::uint32_t, Verdict> result;
  for (const SeccompRule& rule : policy.syscalls) {
    for (const std::string& name : rule.names) {
      if (const auto found = numbers.find(name); found != numbers.end()) {
        add_rule(result[found->second], rule);
      } else if (lets_pass(policy.default_action) && !lets_pass(rule.action) &&
                 !is_known_syscall(name)) {
        throw os::Error("seccomp: cannot restrict the unknown system call '" + name + "'");
      }
    }
  }
  return result;
}

// Where an answer begins to hold; it does so up to the next entry.
using Intervals = std::map<std::uint32_t, Code>;

void add_abi(const Seccomp& policy, const SyscallAbi& abi, Intervals& intervals) {
  const std::uint32_t default_value = return_value(policy.default_action, policy.default_errno_ret);
  const std::map<std::uint32_t, Verdict> known = verdicts(policy, abi);
  std::uint32_t newest = abi.first + kAbiSpan;
  if (!lets_pass(policy.default_action)) {
    newest = abi.first;
    for (const auto& [number, verdict] : known) {
      if (number < abi.first + kAbiSpan) newest = number;
    }
  }
  const auto otherwise = [&](std::uint32_t number) {
    const bool is_newer = !lets_pass(policy.default_action) && !known.empty() && number > newest;
    return answer(is_newer ? SECCOMP_RET_ERRNO | ENOSYS : default_value);
  };
  intervals.insert_or_assign(abi.first, otherwise(abi.first));
  for (const auto& [number, verdict] : known) {
    intervals.insert_or_assign(number, verdict.code(default_value));
    if (!known.contains(number + 1)) intervals.insert_or_assign(number + 1, otherwise(number + 1));
  }
}

// Takes out entries that say what the one before says.
std::vector<std::pair<std::uint32_t, Code>> merged(const Intervals& intervals) {
  std::vector<std::pair<std::uint32_t, Code>> result;
  for (const auto& [first, code] : intervals) {
    if (result.empty() ||
        !std::equal(code.begin(), code.end(), result.back().second.begin(),
                    result.back().second.end(), [](const sock_filter& a, const sock_filter& b) {
                      return a.code == b.code && a.jt == b.jt && a.jf == b.jf && a.k == b.k;
                    })) {
      result.emplace_back(first, code);
    }
  }
  return result;
}

// A search tree over intervals [begin, end) with the number in the accumulator. Branches jump at
// most 255 instructions; a longer way takes an unconditional jump.
Code tree(const std::vector<std::pair<std::uint32_t, Code>>& intervals, std::size_t begin,
          std::size_t end) {
  if (end - begin == 1) return intervals[begin].second;
  const std::size_t middle = begin + (end - begin) / 2;
  const Code left = tree(intervals, begin, middle);
  Code code;
  if (left.size() <= 255) {
    code.push_back(jump(BPF_JGE, intervals[middle].first, left.size(), 0));
  } else {
    code.push_back(jump(BPF_JGE, intervals[middle].first, 0, 1));
    code.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(left.size())));
  }
  append(code, left);
  append(code, tree(intervals, middle, end));
  return code;
}

std::vector<SyscallAbi> abis_of(const std::vector<std::string>& names) {
  std::vector<SyscallAbi> abis = {native_syscall_abi()};
  for (const std::string& name : names) {
    if (name == "SCMP_ARCH_NATIVE") continue;
    const auto abi = syscall_abi(name);
    if (!abi) throw os::Error("unknown seccomp architecture '" + name + "'");
    const bool is_known = std::any_of(
        abis.begin(), abis.end(), [&](const SyscallAbi& each) { return each.name == abi->name; });
    if (!is_known) abis.push_back(*abi);
  }
  return abis;
}

// x32 shares its audit number with x86-64 and is told apart by a bit of the number.
Intervals intervals_of(const Seccomp& policy, const std::vector<SyscallAbi>& abis,
                       std::uint32_t audit_arch) {
  Intervals intervals;
  const bool has_x32 = std::any_of(abis.begin(), abis.end(),
                                   [](const SyscallAbi& abi) { return abi.first == kX32First; });
  for (const SyscallAbi& abi : abis) {
    if (abi.audit_arch != audit_arch) continue;
    add_abi(policy, abi, intervals);
    if (abi.name == "SCMP_ARCH_X86_64" && !has_x32) {
      intervals.insert_or_assign(kX32First, answer(SECCOMP_RET_KILL_PROCESS));
      // -1 is how a tracer skips a call, not one of x32.
      intervals.insert_or_assign(~std::uint32_t{0}, answer(SECCOMP_RET_ERRNO | ENOSYS));
    }
  }
  // Numbers below an ABI's first belong to nobody (MIPS).
  intervals.emplace(0, answer(SECCOMP_RET_KILL_PROCESS));
  return intervals;
}

}  // namespace

void check_seccomp_architectures(const std::vector<std::string>& names) { abis_of(names); }

SeccompProgram compile_seccomp(const Seccomp& policy) {
  const std::vector<SyscallAbi> abis = abis_of(policy.architectures);
  Code program = {load(offsetof(seccomp_data, arch))};
  std::set<std::uint32_t> done;
  for (const SyscallAbi& abi : abis) {
    if (!done.insert(abi.audit_arch).second) continue;
    const auto intervals = merged(intervals_of(policy, abis, abi.audit_arch));
    Code block = {load(offsetof(seccomp_data, nr))};
    append(block, tree(intervals, 0, intervals.size()));
    program.push_back(jump(BPF_JEQ, abi.audit_arch, 1, 0));
    program.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(block.size())));
    append(program, block);
  }
  append(program, answer(SECCOMP_RET_KILL_PROCESS));
  if (program.size() > BPF_MAXINSNS) {
    throw os::Error("seccomp: the policy makes " + std::to_string(program.size()) +
                    " instructions, the kernel takes 4096");
  }
  return program;
}

}  // namespace container
