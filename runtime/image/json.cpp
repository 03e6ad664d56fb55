#include "runtime/image/json.hpp"

#include "runtime/os/error.hpp"

namespace image {

namespace {

const Json kNull;
const Json kNoElements = Json::array();

[[noreturn]] void wrong_type(const char* name, const char* expected) {
  throw os::Error("property '" + std::string(name) + "' must be " + expected);
}

const std::string& as_string(const Json& value, const char* name) {
  if (!value.is_string()) wrong_type(name, "a string");
  return value.get_ref<const std::string&>();
}

}  // namespace

Json parse_object(std::string_view text, const std::string& what) {
  Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) throw os::Error(what + " is not valid JSON");
  if (!document.is_object()) throw os::Error(what + " is not a JSON object");
  return document;
}

const Json& property(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::string string_at(const Json& object, const char* name) {
  const Json& value = property(object, name);
  return value.is_null() ? std::string() : as_string(value, name);
}

std::int64_t integer_at(const Json& object, const char* name) {
  const Json& value = property(object, name);
  if (value.is_null()) return 0;
  if (!value.is_number_integer()) wrong_type(name, "a whole number");
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX)
    wrong_type(name, "a whole number below 2^63");
  return value.get<std::int64_t>();
}

bool boolean_at(const Json& object, const char* name) {
  const Json& value = property(object, name);
  if (value.is_null()) return false;
  if (!value.is_boolean()) wrong_type(name, "true or false");
  return value.get<bool>();
}

std::vector<std::string> strings_at(const Json& object, const char* name) {
  std::vector<std::string> result;
  for (const Json& element : array_at(object, name)) result.push_back(as_string(element, name));
  return result;
}

std::map<std::string, std::string> string_map_at(const Json& object, const char* name) {
  std::map<std::string, std::string> result;
  const Json& value = object_at(object, name);
  if (value.is_null()) return result;
  for (const auto& [key, element] : value.items()) result[key] = as_string(element, name);
  return result;
}

const Json& object_at(const Json& object, const char* name) {
  const Json& value = property(object, name);
  if (!value.is_null() && !value.is_object()) wrong_type(name, "an object");
  return value;
}

const Json& array_at(const Json& object, const char* name) {
  const Json& value = property(object, name);
  if (value.is_null()) return kNoElements;
  if (!value.is_array()) wrong_type(name, "an array");
  return value;
}

std::string dump(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace image
