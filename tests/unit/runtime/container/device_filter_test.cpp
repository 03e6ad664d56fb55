#include "runtime/container/device_filter.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

#include "runtime/container/bundle.hpp"

namespace container {
namespace {

// An interpreter for the eBPF instructions in use.
bool run(const std::vector<bpf_insn>& program, std::uint32_t type, std::uint32_t access,
         std::uint32_t major, std::uint32_t minor) {
  const std::array<std::uint32_t, 3> context = {access << 16 | type, major, minor};
  std::array<std::uint32_t, 11> registers{};
  for (std::size_t pc = 0; pc < program.size(); ++pc) {
    const bpf_insn& each = program[pc];
    std::uint32_t& destination = registers.at(each.dst_reg);
    const std::uint32_t source = registers.at(each.src_reg);
    const auto immediate = static_cast<std::uint32_t>(each.imm);
    bool jump = false;
    switch (each.code) {
      case BPF_LDX | BPF_MEM | BPF_W:
        destination = context.at(static_cast<std::size_t>(each.off) / 4);
        break;
      case BPF_ALU | BPF_MOV | BPF_K:
        destination = immediate;
        break;
      case BPF_ALU | BPF_MOV | BPF_X:
        destination = source;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        destination &= immediate;
        break;
      case BPF_ALU | BPF_RSH | BPF_K:
        destination >>= immediate;
        break;
      case BPF_JMP32 | BPF_JNE | BPF_K:
        jump = destination != immediate;
        break;
      case BPF_JMP32 | BPF_JNE | BPF_X:
        jump = destination != source;
        break;
      case BPF_JMP32 | BPF_JEQ | BPF_K:
        jump = destination == immediate;
        break;
      case BPF_JMP | BPF_EXIT:
        return registers[0] != 0;
      default:
        throw std::logic_error("unknown instruction");
    }
    if (jump) pc += static_cast<std::size_t>(each.off);
  }
  throw std::logic_error("ran off the end");
}

std::uint32_t bits(const std::string& access) {
  std::uint32_t result = 0;
  if (access.empty() || access.find('m') != std::string::npos) result |= 1;
  if (access.empty() || access.find('r') != std::string::npos) result |= 2;
  if (access.empty() || access.find('w') != std::string::npos) result |= 4;
  return result;
}

// What the rules say, read as a person does: the last one that matches decides.
bool expected(const std::vector<DeviceRule>& rules, std::uint32_t type, std::uint32_t access,
              std::uint32_t major, std::uint32_t minor) {
  bool allowed = false;
  for (const DeviceRule& rule : rules) {
    const char letter = type == BPF_DEVCG_DEV_BLOCK ? 'b' : 'c';
    if (rule.type != 'a' && rule.type != letter) continue;
    if (rule.major.value_or(-1) >= 0 && *rule.major != major) continue;
    if (rule.minor.value_or(-1) >= 0 && *rule.minor != minor) continue;
    const std::uint32_t rule_bits = bits(rule.access);
    if (rule.allow && (access & ~rule_bits) == 0) allowed = true;
    if (!rule.allow && (access & rule_bits) != 0) allowed = false;
  }
  return allowed;
}

void check_truth_table(const std::vector<DeviceRule>& rules) {
  const std::vector<bpf_insn> program = device_program(rules);
  for (const std::uint32_t type : {BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_DEV_CHAR}) {
    for (std::uint32_t access = 1; access < 8; ++access) {
      for (const std::uint32_t major : {1U, 5U, 8U, 10U, 136U}) {
        for (const std::uint32_t minor : {0U, 1U, 3U, 5U, 200U, 229U}) {
          EXPECT_EQ(run(program, type, access, major, minor),
                    expected(rules, type, access, major, minor))
              << type << " " << access << " " << major << ":" << minor;
        }
      }
    }
  }
}

TEST(DeviceProgram, FollowsTheTruthTable) {
  check_truth_table({});
  check_truth_table(default_device_rules());
  check_truth_table({{true, 'a', {}, {}, "rwm"}});
  check_truth_table({{true, 'a', {}, {}, ""}, {false, 'b', 8, {}, "w"}});
  check_truth_table({{true, 'c', 1, 3, "r"}, {true, 'c', 1, {}, "w"}, {false, 'c', 1, 5, "rwm"}});
  check_truth_table(
      {{true, 'a', {}, {}, "rwm"}, {false, 'a', {}, {}, "rwm"}, {true, 'a', 5, {}, "m"}});
}

TEST(DeviceProgram, GivesADefaultContainerItsDevices) {
  const std::vector<bpf_insn> program = device_program(default_device_rules());
  EXPECT_TRUE(run(program, BPF_DEVCG_DEV_CHAR, 6, 1, 3));
  EXPECT_TRUE(run(program, BPF_DEVCG_DEV_BLOCK, 1, 8, 0));     // mknod of any
  EXPECT_FALSE(run(program, BPF_DEVCG_DEV_BLOCK, 2, 8, 0));    // but no use
  EXPECT_FALSE(run(program, BPF_DEVCG_DEV_CHAR, 2, 10, 229));  // fuse
}

TEST(DeviceLines, BeginWithTheRuleThatDecidesAll) {
  const auto lines = device_lines({{true, 'c', 1, 3, "rwm"},
                                   {false, 'a', {}, {}, "rwm"},
                                   {true, 'c', 136, {}, "rwm"},
                                   {true, 'a', 5, 1, ""}});
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_FALSE(lines[0].allow);
  EXPECT_EQ(lines[0].text, "a");
  EXPECT_EQ(lines[1].text, "c 136:* rwm");
  EXPECT_EQ(lines[2].text, "b 5:1 rwm");
  EXPECT_EQ(lines[3].text, "c 5:1 rwm");
  const auto all = device_lines({{true, 'a', {}, {}, "rwm"}});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].allow);
}

TEST(DeviceRule, IsParsedAsDockerDoes) {
  const auto rule = parse_device_rule("c 1:* rw");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->type, 'c');
  EXPECT_EQ(rule->major, 1);
  EXPECT_FALSE(rule->minor);
  EXPECT_EQ(rule->access, "rw");
  for (const char* bad : {"", "c", "x 1:3 r", "c 1:3", "c 1:3 ", "c 1:3 rwmr", "c 1:3 x", "c a:3 r",
                          "c -1:3 r", "c 1 3 r", "c  1:3 r", "c 99999999999:3 r"}) {
    EXPECT_FALSE(parse_device_rule(bad)) << bad;
  }
}

}  // namespace
}  // namespace container
