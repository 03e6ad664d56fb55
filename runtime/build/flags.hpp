// The flags of instructions: which there are, and their values. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/build/dockerfile.hpp"

namespace build {

enum class FlagKind { text, boolean, list };

struct FlagRule {
  std::string_view name;
  FlagKind kind = FlagKind::text;
};

/// The flags that an instruction (its name in capitals) has.
std::span<const FlagRule> flag_rules(std::string_view instruction);
/// Notes every flag that the instruction does not have, that is given twice, or whose value is
/// missing or no truth value.
void check_flags(const Instruction& instruction, std::vector<Mistake>& mistakes);

/// The flag itself, null when it is not given.
const Flag* find_flag(const Instruction& instruction, std::string_view name);
/// The value of a text flag, empty when it is not given.
std::string flag_text(const Instruction& instruction, std::string_view name);
/// `--name`, `--name=true`; `fallback` when it is not given.
bool flag_on(const Instruction& instruction, std::string_view name, bool fallback = false);
std::vector<std::string> flag_list(const Instruction& instruction, std::string_view name);

}  // namespace build
