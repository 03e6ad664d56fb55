#include "runtime/container/seccomp.hpp"

#include <array>

#include "runtime/container/json_writer.hpp"
#include "runtime/container/seccomp_json.hpp"

namespace container {

using nlohmann::json;

namespace {

template <class Value, std::size_t Size>
using NameTable = std::array<std::pair<std::string_view, Value>, Size>;

constexpr NameTable<SeccompAction, 9> kActions = {{
    {"SCMP_ACT_KILL_THREAD", SeccompAction::kill_thread},
    {"SCMP_ACT_KILL_PROCESS", SeccompAction::kill_process},
    {"SCMP_ACT_TRAP", SeccompAction::trap},
    {"SCMP_ACT_ERRNO", SeccompAction::error},
    {"SCMP_ACT_TRACE", SeccompAction::trace},
    {"SCMP_ACT_ALLOW", SeccompAction::allow},
    {"SCMP_ACT_LOG", SeccompAction::log},
    {"SCMP_ACT_NOTIFY", SeccompAction::notify},
    {"SCMP_ACT_KILL", SeccompAction::kill_thread},
}};

constexpr NameTable<SeccompOperator, 7> kOperators = {{
    {"SCMP_CMP_NE", SeccompOperator::not_equal},
    {"SCMP_CMP_LT", SeccompOperator::less},
    {"SCMP_CMP_LE", SeccompOperator::less_or_equal},
    {"SCMP_CMP_EQ", SeccompOperator::equal},
    {"SCMP_CMP_GE", SeccompOperator::greater_or_equal},
    {"SCMP_CMP_GT", SeccompOperator::greater},
    {"SCMP_CMP_MASKED_EQ", SeccompOperator::masked_equal},
}};

template <class Table>
auto value_of(const Table& table, std::string_view name) noexcept {
  for (const auto& [each, value] : table) {
    if (each == name) return std::optional(value);
  }
  return decltype(std::optional(table[0].second))();
}

template <class Table, class Value>
std::string_view name_of(const Table& table, Value value) noexcept {
  for (const auto& [name, each] : table) {
    if (each == value) return name;
  }
  return {};
}

}  // namespace

std::optional<SeccompAction> seccomp_action(std::string_view name) noexcept {
  return value_of(kActions, name);
}
std::string_view seccomp_action_name(SeccompAction action) noexcept {
  return name_of(kActions, action);
}
std::optional<SeccompOperator> seccomp_operator(std::string_view name) noexcept {
  return value_of(kOperators, name);
}
std::string_view seccomp_operator_name(SeccompOperator op) noexcept {
  return name_of(kOperators, op);
}

void read_json(const JsonReader& reader, SeccompArgument& argument) {
  if (!reader.is_object()) return;
  reader.property("index", argument.index);
  reader.property("value", argument.value);
  reader.property("valueTwo", argument.value_two);
  if (!reader.find("op")) reader.mistake("a condition needs an op");
  reader.name("op", argument.op, seccomp_operator, "a comparison of seccomp");
}

void read_json(const JsonReader& reader, SeccompRule& rule) {
  if (!reader.is_object()) return;
  reader.property("names", rule.names);
  if (const auto single = reader.find("name")) single->read(rule.names.emplace_back());
  if (!reader.find("action")) reader.mistake("a rule needs an action");
  reader.name("action", rule.action, seccomp_action, "a seccomp action");
  reader.property("errnoRet", rule.errno_ret);
  reader.property("args", rule.args);
}

void read_json(const JsonReader& reader, Seccomp& seccomp) {
  if (!reader.is_object()) return;
  if (!reader.find("defaultAction")) reader.mistake("a seccomp policy needs a defaultAction");
  reader.name("defaultAction", seccomp.default_action, seccomp_action, "a seccomp action");
  reader.property("defaultErrnoRet", seccomp.default_errno_ret);
  reader.property("architectures", seccomp.architectures);
  reader.property("flags", seccomp.flags);
  reader.property("listenerPath", seccomp.listener_path);
  reader.property("listenerMetadata", seccomp.listener_metadata);
  reader.property("syscalls", seccomp.syscalls);
}

void to_json(json& object, const SeccompArgument& argument) {
  object = {{"index", argument.index},
            {"value", argument.value},
            {"op", std::string(seccomp_operator_name(argument.op))}};
  put(object, "valueTwo", argument.value_two);
}

void to_json(json& object, const SeccompRule& rule) {
  object = {{"names", rule.names}, {"action", std::string(seccomp_action_name(rule.action))}};
  put(object, "errnoRet", rule.errno_ret);
  put(object, "args", rule.args);
}

void to_json(json& object, const Seccomp& seccomp) {
  object = {{"defaultAction", std::string(seccomp_action_name(seccomp.default_action))}};
  put(object, "defaultErrnoRet", seccomp.default_errno_ret);
  put(object, "architectures", seccomp.architectures);
  put(object, "flags", seccomp.flags);
  put(object, "listenerPath", seccomp.listener_path);
  put(object, "listenerMetadata", seccomp.listener_metadata);
  put(object, "syscalls", seccomp.syscalls);
}

}  // namespace container
