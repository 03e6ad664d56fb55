// Strict reading of JSON into values: every property of the wrong type or range is noted with its
// path, none stops the reading.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace container {

/// A JSON value with its path and the list where mistakes are noted.
class JsonReader {
 public:
  JsonReader(const nlohmann::json& value, std::string path, std::vector<std::string>& mistakes)
      : value_(value), path_(std::move(path)), mistakes_(mistakes) {}

  const nlohmann::json& value() const noexcept { return value_; }
  const std::string& path() const noexcept { return path_; }
  void mistake(const std::string& text) const;

  /// The property `key` when it is there and not null; this value must be an object (checked by
  /// is_object(), which notes the mistake).
  std::optional<JsonReader> find(std::string_view key) const;
  bool is_object() const;

  void read(std::string& target) const;
  void read(bool& target) const;
  template <class Integer>
  requires std::is_integral_v<Integer>
  void read(Integer& target) const;
  template <class Value>
  void read(std::optional<Value>& target) const;
  template <class Value>
  void read(std::vector<Value>& target) const;
  template <class Value>
  void read(std::map<std::string, Value>& target) const;
  /// A type of ours: found by argument-dependent lookup.
  template <class Value>
  requires std::is_class_v<Value>
  void read(Value& target) const { read_json(*this, target); }

  /// Reads the property `key` into `target` when it is there.
  template <class Value>
  void property(std::string_view key, Value& target) const {
    if (const auto found = find(key)) found->read(target);
  }
  /// The same for a name that `parse` turns into a value; `kind` says what it should have been.
  template <class Value, class Parse>
  void name(std::string_view key, Value& target, Parse parse, std::string_view kind) const;

  /// Calls `each` for every element; notes a mistake when this is no array.
  void for_each(const std::function<void(const JsonReader&)>& each) const;

 private:
  bool read_signed(std::int64_t& number) const;
  bool read_unsigned(std::uint64_t& number) const;

  const nlohmann::json& value_;
  std::string path_;
  std::vector<std::string>& mistakes_;
};

/// Throws os::Error with all of `mistakes`, one a line, unless there are none.
void throw_mistakes(const std::vector<std::string>& mistakes);

template <class Integer>
requires std::is_integral_v<Integer>
void JsonReader::read(Integer& target) const {
  if constexpr (std::is_signed_v<Integer>) {
    std::int64_t number = 0;
    if (!read_signed(number)) return;
    if (number < std::numeric_limits<Integer>::min() ||
        number > std::numeric_limits<Integer>::max()) {
      return mistake("the number " + value_.dump() + " is out of range");
    }
    target = static_cast<Integer>(number);
  } else {
    std::uint64_t number = 0;
    if (!read_unsigned(number)) return;
    if (number > std::numeric_limits<Integer>::max()) {
      return mistake("the number " + value_.dump() + " is out of range");
    }
    target = static_cast<Integer>(number);
  }
}

template <class Value>
void JsonReader::read(std::optional<Value>& target) const {
  Value value{};
  read(value);
  target = std::move(value);
}

template <class Value>
void JsonReader::read(std::vector<Value>& target) const {
  for_each([&](const JsonReader& element) {
    Value value{};
    element.read(value);
    target.push_back(std::move(value));
  });
}

template <class Value>
void JsonReader::read(std::map<std::string, Value>& target) const {
  if (!is_object()) return;
  for (const auto& [key, element] : value_.items()) {
    Value value{};
    JsonReader(element, path_ + "." + key, mistakes_).read(value);
    target.insert_or_assign(key, std::move(value));
  }
}

template <class Value, class Parse>
void JsonReader::name(std::string_view key, Value& target, Parse parse,
                      std::string_view kind) const {
  const auto found = find(key);
  if (!found) return;
  std::string text;
  found->read(text);
  if (!found->value_.is_string()) return;
  if (const auto parsed = parse(text)) {
    target = *parsed;
  } else {
    found->mistake("'" + text + "' is not " + std::string(kind));
  }
}

}  // namespace container
