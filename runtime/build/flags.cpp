#include "runtime/build/flags.hpp"

#include <array>
#include <set>

namespace build {

namespace {

constexpr std::array kFrom{FlagRule{"platform", FlagKind::text}};
constexpr std::array kRun{FlagRule{"mount", FlagKind::list}, FlagRule{"network", FlagKind::text},
                          FlagRule{"security", FlagKind::text}, FlagRule{"device", FlagKind::list}};
constexpr std::array kCopy{
    FlagRule{"from", FlagKind::text},    FlagRule{"chown", FlagKind::text},
    FlagRule{"chmod", FlagKind::text},   FlagRule{"link", FlagKind::boolean},
    FlagRule{"exclude", FlagKind::list}, FlagRule{"parents", FlagKind::boolean}};
constexpr std::array kAdd{
    FlagRule{"chown", FlagKind::text},    FlagRule{"chmod", FlagKind::text},
    FlagRule{"link", FlagKind::boolean},  FlagRule{"exclude", FlagKind::list},
    FlagRule{"checksum", FlagKind::text}, FlagRule{"keep-git-dir", FlagKind::boolean},
    FlagRule{"unpack", FlagKind::boolean}};
constexpr std::array kHealthcheck{
    FlagRule{"interval", FlagKind::text}, FlagRule{"timeout", FlagKind::text},
    FlagRule{"start-period", FlagKind::text}, FlagRule{"start-interval", FlagKind::text},
    FlagRule{"retries", FlagKind::text}};

void check_value(const Flag& flag, FlagKind kind, std::vector<Mistake>& mistakes) {
  if (flag.value && flag.value->empty()) {
    mistakes.push_back({flag.at, "the flag --" + flag.name + " has an empty value", ""});
  } else if (kind == FlagKind::boolean) {
    if (flag.value && *flag.value != "true" && *flag.value != "false")
      mistakes.push_back(
          {flag.at, "the flag --" + flag.name + " is true or false, not '" + *flag.value + "'",
           ""});
  } else if (!flag.value) {
    mistakes.push_back(
        {flag.at, "the flag --" + flag.name + " needs a value", "--" + flag.name + "=VALUE"});
  }
}

}  // namespace

std::span<const FlagRule> flag_rules(std::string_view instruction) {
  if (instruction == "FROM") return kFrom;
  if (instruction == "RUN") return kRun;
  if (instruction == "COPY") return kCopy;
  if (instruction == "ADD") return kAdd;
  if (instruction == "HEALTHCHECK") return kHealthcheck;
  return {};
}

void check_flags(const Instruction& instruction, std::vector<Mistake>& mistakes) {
  const auto rules = flag_rules(instruction.name);
  std::set<std::string> seen;
  for (const Flag& flag : instruction.flags) {
    const FlagRule* rule = nullptr;
    std::vector<std::string> names;
    for (const FlagRule& each : rules) {
      names.emplace_back("--" + std::string(each.name));
      if (each.name == flag.name) rule = &each;
    }
    if (rule == nullptr) {
      mistakes.push_back({flag.at, "unknown flag: " + instruction.name + " --" + flag.name,
                          did_you_mean("--" + flag.name, names)});
      continue;
    }
    if (!seen.insert(flag.name).second && rule->kind != FlagKind::list)
      mistakes.push_back({flag.at, "the flag --" + flag.name + " is given twice", ""});
    check_value(flag, rule->kind, mistakes);
  }
}

const Flag* find_flag(const Instruction& instruction, std::string_view name) {
  for (const Flag& flag : instruction.flags)
    if (flag.name == name) return &flag;
  return nullptr;
}

std::string flag_text(const Instruction& instruction, std::string_view name) {
  const Flag* flag = find_flag(instruction, name);
  return flag == nullptr ? std::string() : flag->value.value_or("");
}

bool flag_on(const Instruction& instruction, std::string_view name, bool fallback) {
  const Flag* flag = find_flag(instruction, name);
  return flag == nullptr ? fallback : flag->value.value_or("true") == "true";
}

std::vector<std::string> flag_list(const Instruction& instruction, std::string_view name) {
  std::vector<std::string> values;
  for (const Flag& flag : instruction.flags)
    if (flag.name == name) values.push_back(flag.value.value_or(""));
  return values;
}

}  // namespace build
