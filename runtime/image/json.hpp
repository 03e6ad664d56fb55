// Reading foreign JSON documents: every access checks the type and names the property that is
// wrong; null counts as absent, as Go's encoder writes it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace image {

using Json = nlohmann::json;

/// Parses a document whose top is an object; throws os::Error that names `what`.
Json parse_object(std::string_view text, const std::string& what);
/// The property `name`, or null when it is absent.
const Json& property(const Json& object, const char* name);

/// Each gives the empty value when the property is absent and throws os::Error when its type is
/// another.
std::string string_at(const Json& object, const char* name);
std::int64_t integer_at(const Json& object, const char* name);
bool boolean_at(const Json& object, const char* name);
std::vector<std::string> strings_at(const Json& object, const char* name);
std::map<std::string, std::string> string_map_at(const Json& object, const char* name);
/// An object or null.
const Json& object_at(const Json& object, const char* name);
/// An array, or an empty one.
const Json& array_at(const Json& object, const char* name);

/// Text of any bytes; what is not UTF-8 is replaced, for the document must stay readable.
std::string dump(const Json& document);

}  // namespace image
