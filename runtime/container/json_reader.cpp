#include "runtime/container/json_reader.hpp"

#include "runtime/os/error.hpp"

namespace container {

void JsonReader::mistake(const std::string& text) const {
  mistakes_.push_back(path_ + ": " + text);
}

bool JsonReader::is_object() const {
  if (value_.is_object()) return true;
  mistake(std::string("expected an object, found ") + value_.type_name());
  return false;
}

std::optional<JsonReader> JsonReader::find(std::string_view key) const {
  if (!value_.is_object()) return std::nullopt;
  const auto found = value_.find(key);
  if (found == value_.end() || found->is_null()) return std::nullopt;
  std::string path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  return JsonReader(*found, std::move(path), mistakes_);
}

void JsonReader::read(std::string& target) const {
  if (!value_.is_string()) {
    return mistake(std::string("expected a string, found ") + value_.type_name());
  }
  target = value_.get_ref<const std::string&>();
  if (target.find('\0') != std::string::npos) mistake("the string holds a NUL character");
}

void JsonReader::read(bool& target) const {
  if (!value_.is_boolean()) {
    return mistake(std::string("expected true or false, found ") + value_.type_name());
  }
  target = value_.get<bool>();
}

void JsonReader::for_each(const std::function<void(const JsonReader&)>& each) const {
  if (!value_.is_array()) {
    return mistake(std::string("expected an array, found ") + value_.type_name());
  }
  std::size_t index = 0;
  for (const nlohmann::json& element : value_) {
    each(JsonReader(element, path_ + "[" + std::to_string(index++) + "]", mistakes_));
  }
}

bool JsonReader::read_signed(std::int64_t& number) const {
  if (value_.is_number_unsigned() &&
      value_.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    mistake("the number " + value_.dump() + " is out of range");
    return false;
  }
  if (!value_.is_number_integer()) {
    mistake(std::string("expected an integer, found ") +
            (value_.is_number() ? value_.dump() : value_.type_name()));
    return false;
  }
  number = value_.get<std::int64_t>();
  return true;
}

bool JsonReader::read_unsigned(std::uint64_t& number) const {
  if (!value_.is_number_integer()) {
    mistake(std::string("expected an integer, found ") +
            (value_.is_number() ? value_.dump() : value_.type_name()));
    return false;
  }
  if (!value_.is_number_unsigned() && value_.get<std::int64_t>() < 0) {
    mistake("the number " + value_.dump() + " is negative");
    return false;
  }
  number = value_.get<std::uint64_t>();
  return true;
}

void throw_mistakes(const std::vector<std::string>& mistakes) {
  if (mistakes.empty()) return;
  std::string text;
  for (const std::string& mistake : mistakes) {
    if (!text.empty()) text += '\n';
    text += mistake;
  }
  throw os::Error(text);
}

}  // namespace container
