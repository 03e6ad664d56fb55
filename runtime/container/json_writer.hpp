// Writing of values as JSON objects without the properties that say nothing.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>

namespace container {

template <class Value>
concept HasEmpty = requires(const Value& value) {
  value.empty();
};

/// Sets `object[key]` unless `value` is empty (text, list, object).
template <HasEmpty Value>
void put(nlohmann::json& object, const char* key, const Value& value) {
  if (!value.empty()) object[key] = value;
}
/// Sets `object[key]` unless `value` is absent.
template <class Value>
void put(nlohmann::json& object, const char* key, const std::optional<Value>& value) {
  if (value) object[key] = *value;
}
/// Sets `object[key]` unless `value` is false or zero.
template <class Value>
requires std::is_arithmetic_v<Value>
void put(nlohmann::json& object, const char* key, Value value) {
  if (value != Value{}) object[key] = value;
}

}  // namespace container
