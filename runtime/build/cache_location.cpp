#include "runtime/build/cache_location.hpp"

#include <map>

#include "runtime/build/run_mount.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

using Fields = std::map<std::string, std::string>;

bool flag(const Fields& fields, const std::string& key) {
  const auto found = fields.find(key);
  if (found == fields.end() || found->second == "false") return false;
  if (found->second == "true") return true;
  throw os::Error(key + " is true or false, not '" + found->second + "'");
}

std::string required(const Fields& fields, const std::string& key) {
  const auto found = fields.find(key);
  if (found == fields.end() || found->second.empty()) throw os::Error("'" + key + "=' is missing");
  return found->second;
}

}  // namespace

std::optional<CacheLocation> parse_cache_location(const std::string& entry, CacheUse use,
                                                  const std::string& directory) try {
  CacheLocation location;
  if (entry.find('=') == std::string::npos) {
    location.place = image::Reference::parse(entry).text();
    return location;
  }
  Fields fields;
  for (const std::string& field : split_csv(entry)) {
    const auto equals = field.find('=');
    if (equals == std::string::npos) throw os::Error("'" + field + "' is no KEY=VALUE");
    fields[field.substr(0, equals)] = field.substr(equals + 1);
  }
  const std::string type = required(fields, "type");
  if (type == "registry") {
    location.place = image::Reference::parse(required(fields, "ref")).text();
  } else if (type == "local") {
    location.kind = CacheLocation::Kind::directory;
    location.place = required(fields, use == CacheUse::from ? "src" : "dest");
    if (!location.place.starts_with('/')) location.place = directory + "/" + location.place;
  } else {
    return std::nullopt;
  }
  location.mounts = flag(fields, "mounts");
  location.ignore_error = flag(fields, "ignore-error");
  return location;
} catch (const os::Error& error) {
  throw error.in(std::string(use == CacheUse::from ? "cache_from" : "cache_to") + " '" + entry +
                 "'");
}

}  // namespace build
