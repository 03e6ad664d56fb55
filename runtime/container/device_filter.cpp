#include "runtime/container/device_filter.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "runtime/os/error.hpp"

namespace container {
namespace {

bool is_any(const std::optional<std::int64_t>& number) { return number.value_or(-1) < 0; }

bool matches_all(const DeviceRule& rule) {
  return rule.type == 'a' && is_any(rule.major) && is_any(rule.minor) &&
         (rule.access.empty() || std::all_of(std::begin("rwm"), std::end("rwm") - 1, [&](char c) {
            return rule.access.find(c) != std::string::npos;
          }));
}

// The rules from the last one on that decides everything; nothing decided is denied.
struct Effective {
  bool default_allow = false;
  std::vector<DeviceRule> rules;
};
Effective effective(const std::vector<DeviceRule>& rules) {
  const auto last = std::find_if(rules.rbegin(), rules.rend(), matches_all);
  Effective result;
  if (last != rules.rend()) result.default_allow = last->allow;
  result.rules.assign(last.base(), rules.end());
  return result;
}

std::string number_text(const std::optional<std::int64_t>& number) {
  return is_any(number) ? "*" : std::to_string(*number);
}

std::string access_text(const DeviceRule& rule) {
  return rule.access.empty() ? "rwm" : rule.access;
}

bpf_insn instruction(unsigned code, unsigned destination, unsigned source, int offset, int value) {
  return {.code = static_cast<__u8>(code),
          .dst_reg = static_cast<__u8>(destination & 0xf),
          .src_reg = static_cast<__u8>(source & 0xf),
          .off = static_cast<__s16>(offset),
          .imm = value};
}

// Registers of the program: the context comes in R1, the answer goes out in R0.
enum Register {
  kAnswer = 0,
  kContext = 1,
  kType = 2,
  kAccess = 3,
  kMajor = 4,
  kMinor = 5,
  kSpare = 6
};

bpf_insn set(unsigned destination, int value) {
  return instruction(BPF_ALU | BPF_MOV | BPF_K, destination, 0, 0, value);
}
bpf_insn load_word(unsigned destination, int offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, destination, kContext, offset, 0);
}

int access_bits(const std::string& access) {
  int bits = 0;
  for (const char c : access) {
    if (c == 'r') bits |= BPF_DEVCG_ACC_READ;
    if (c == 'w') bits |= BPF_DEVCG_ACC_WRITE;
    if (c == 'm') bits |= BPF_DEVCG_ACC_MKNOD;
  }
  return bits;
}

// The conditions of a rule; offset 0 of a jump means "does not match", filled in at the end.
std::vector<bpf_insn> conditions(const DeviceRule& rule) {
  std::vector<bpf_insn> code;
  const auto unless_equal = [&](unsigned reg, std::int64_t value) {
    code.push_back(instruction(BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 0,
                               static_cast<int>(static_cast<std::uint32_t>(value))));
  };
  if (rule.type != 'a') {
    unless_equal(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  }
  if (const int bits = access_bits(access_text(rule)); bits != 7) {
    // Matches when no more is asked for than the rule speaks of; a denial when any of it is.
    code.push_back(instruction(BPF_ALU | BPF_MOV | BPF_X, kSpare, kAccess, 0, 0));
    code.push_back(instruction(BPF_ALU | BPF_AND | BPF_K, kSpare, 0, 0, bits));
    code.push_back(rule.allow ? instruction(BPF_JMP32 | BPF_JNE | BPF_X, kSpare, kAccess, 0, 0)
                              : instruction(BPF_JMP32 | BPF_JEQ | BPF_K, kSpare, 0, 0, 0));
  }
  if (!is_any(rule.major)) unless_equal(kMajor, *rule.major);
  if (!is_any(rule.minor)) unless_equal(kMinor, *rule.minor);
  return code;
}

std::optional<std::optional<std::int64_t>> parse_number(std::string_view text) {
  if (text == "*") return std::optional<std::int64_t>();
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return std::optional<std::int64_t>(number);
}

long bpf(bpf_cmd command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof(attributes));
}

}  // namespace

std::vector<DeviceLine> device_lines(const std::vector<DeviceRule>& rules) {
  const Effective effect = effective(rules);
  std::vector<DeviceLine> lines = {{effect.default_allow, "a"}};
  for (const DeviceRule& rule : effect.rules) {
    // "a" clears or fills the whole list in v1, whatever numbers follow it: name both kinds.
    for (const char type : rule.type == 'a' ? std::string("bc") : std::string(1, rule.type)) {
      lines.push_back({rule.allow, std::string(1, type) + " " + number_text(rule.major) + ":" +
                                       number_text(rule.minor) + " " + access_text(rule)});
    }
  }
  return lines;
}

std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules) {
  const Effective effect = effective(rules);
  std::vector<bpf_insn> program = {
      load_word(kType, 0),   instruction(BPF_ALU | BPF_AND | BPF_K, kType, 0, 0, 0xffff),
      load_word(kAccess, 0), instruction(BPF_ALU | BPF_RSH | BPF_K, kAccess, 0, 0, 16),
      load_word(kMajor, 4),  load_word(kMinor, 8),
  };
  for (auto rule = effect.rules.rbegin(); rule != effect.rules.rend(); ++rule) {
    std::vector<bpf_insn> code = conditions(*rule);
    code.push_back(set(kAnswer, rule->allow ? 1 : 0));
    code.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    for (std::size_t i = 0; i < code.size(); ++i) {
      const bool is_condition = BPF_CLASS(code[i].code) == BPF_JMP32;
      if (is_condition) code[i].off = static_cast<__s16>(code.size() - i - 1);
    }
    program.insert(program.end(), code.begin(), code.end());
  }
  program.push_back(set(kAnswer, effect.default_allow ? 1 : 0));
  program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
  return program;
}

os::UniqueFd load_device_program(const std::vector<bpf_insn>& program) {
  static constexpr char kLicense[] = "GPL";
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = reinterpret_cast<std::uintptr_t>(program.data());
  attributes.insn_cnt = static_cast<__u32>(program.size());
  attributes.license = reinterpret_cast<std::uintptr_t>(&kLicense[0]);
  long fd = bpf(BPF_PROG_LOAD, attributes);
  if (fd < 0 && errno == EPERM) {
    // Before 5.11 programs count as locked memory (bpf(2)).
    const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
    fd = bpf(BPF_PROG_LOAD, attributes);
  }
  os::check(fd, [] { return "load the device rules"; });
  return os::UniqueFd(static_cast<int>(fd));
}

void attach_device_program(int cgroup_directory, int program, std::optional<int> previous) {
  bpf_attr attributes{};
  attributes.target_fd = static_cast<__u32>(cgroup_directory);
  attributes.attach_bpf_fd = static_cast<__u32>(program);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (previous) {
    attributes.attach_flags |= BPF_F_REPLACE;
    attributes.replace_bpf_fd = static_cast<__u32>(*previous);
  }
  os::check(bpf(BPF_PROG_ATTACH, attributes),
            [] { return "attach the device rules to the control group"; });
}

std::optional<DeviceRule> parse_device_rule(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (text.size() < 7 || text[1] != ' ' || colon == std::string_view::npos) return std::nullopt;
  const std::size_t space = text.find(' ', colon);
  if (space == std::string_view::npos ||
      std::string_view("acb").find(text[0]) == std::string_view::npos) {
    return std::nullopt;
  }
  const auto major = parse_number(text.substr(2, colon - 2));
  const auto minor = parse_number(text.substr(colon + 1, space - colon - 1));
  const std::string_view access = text.substr(space + 1);
  if (!major || !minor || access.empty() || access.size() > 3 ||
      access.find_first_not_of("rwm") != std::string_view::npos) {
    return std::nullopt;
  }
  return DeviceRule{.allow = true,
                    .type = text[0],
                    .major = *major,
                    .minor = *minor,
                    .access = std::string(access)};
}

}  // namespace container
