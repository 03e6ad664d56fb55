#include "runtime/image/config.hpp"

#include "runtime/image/json.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

std::optional<Timestamp> timestamp_at(const Json& object, const char* name) {
  const std::string text = string_at(object, name);
  return text.empty() ? std::nullopt : parse_timestamp(text);
}

/// The keys of an object whose values mean nothing: how sets are written.
std::set<std::string> keys_at(const Json& object, const char* name) {
  std::set<std::string> keys;
  const Json& value = object_at(object, name);
  if (value.is_null()) return keys;
  for (const auto& [key, unused] : value.items()) keys.insert(key);
  return keys;
}

Healthcheck read_healthcheck(const Json& object) {
  using std::chrono::nanoseconds;
  Healthcheck check;
  check.test = strings_at(object, "Test");
  check.interval = nanoseconds(integer_at(object, "Interval"));
  check.timeout = nanoseconds(integer_at(object, "Timeout"));
  check.start_period = nanoseconds(integer_at(object, "StartPeriod"));
  check.start_interval = nanoseconds(integer_at(object, "StartInterval"));
  check.retries = integer_at(object, "Retries");
  return check;
}

void read_run_defaults(const Json& object, ImageConfig& config) {
  if (object.is_null()) return;
  config.entrypoint = strings_at(object, "Entrypoint");
  config.cmd = strings_at(object, "Cmd");
  config.env = strings_at(object, "Env");
  config.user = string_at(object, "User");
  config.working_dir = string_at(object, "WorkingDir");
  config.volumes = keys_at(object, "Volumes");
  config.exposed_ports = keys_at(object, "ExposedPorts");
  config.stop_signal = string_at(object, "StopSignal");
  config.shell = strings_at(object, "Shell");
  config.on_build = strings_at(object, "OnBuild");
  config.labels = string_map_at(object, "Labels");
  config.args_escaped = boolean_at(object, "ArgsEscaped");
  if (const Json& check = object_at(object, "Healthcheck"); !check.is_null())
    config.healthcheck = read_healthcheck(check);
}

HistoryEntry read_history(const Json& object) {
  if (!object.is_object()) throw os::Error("property 'history' must hold objects");
  HistoryEntry entry;
  entry.created = timestamp_at(object, "created");
  entry.created_by = string_at(object, "created_by");
  entry.author = string_at(object, "author");
  entry.comment = string_at(object, "comment");
  entry.empty_layer = boolean_at(object, "empty_layer");
  return entry;
}

Json set_of(const std::set<std::string>& keys) {
  Json object = Json::object();
  for (const std::string& key : keys) object[key] = Json::object();
  return object;
}

template <class Value>
void put(Json& object, const char* name, const Value& value) {
  if (!value.empty()) object[name] = value;
}

Json write_healthcheck(const Healthcheck& check) {
  Json object = Json::object();
  put(object, "Test", check.test);
  const auto put_number = [&](const char* name, std::int64_t value) {
    if (value != 0) object[name] = value;
  };
  put_number("Interval", check.interval.count());
  put_number("Timeout", check.timeout.count());
  put_number("StartPeriod", check.start_period.count());
  put_number("StartInterval", check.start_interval.count());
  put_number("Retries", check.retries);
  return object;
}

Json write_run_defaults(const ImageConfig& config) {
  Json object = Json::object();
  put(object, "Entrypoint", config.entrypoint);
  put(object, "Cmd", config.cmd);
  put(object, "Env", config.env);
  put(object, "User", config.user);
  put(object, "WorkingDir", config.working_dir);
  put(object, "Volumes", set_of(config.volumes));
  put(object, "ExposedPorts", set_of(config.exposed_ports));
  put(object, "StopSignal", config.stop_signal);
  put(object, "Shell", config.shell);
  if (config.args_escaped) object["ArgsEscaped"] = true;
  put(object, "OnBuild", config.on_build);
  put(object, "Labels", config.labels);
  if (config.healthcheck) object["Healthcheck"] = write_healthcheck(*config.healthcheck);
  return object;
}

Json write_history(const HistoryEntry& entry) {
  Json object = Json::object();
  if (entry.created) object["created"] = format_timestamp(*entry.created);
  put(object, "created_by", entry.created_by);
  put(object, "author", entry.author);
  put(object, "comment", entry.comment);
  if (entry.empty_layer) object["empty_layer"] = true;
  return object;
}

}  // namespace

void ImageConfig::set_env(std::string_view name, std::string_view value) {
  const std::string prefix = std::string(name) + "=";
  for (std::string& entry : env) {
    if (!entry.starts_with(prefix)) continue;
    entry = prefix + std::string(value);
    return;
  }
  env.push_back(prefix + std::string(value));
}

ImageConfig parse_config(std::string_view json) try {
  const Json document = parse_object(json, "it");
  ImageConfig config;
  config.created = timestamp_at(document, "created");
  config.author = string_at(document, "author");
  const std::string os = string_at(document, "os");
  config.platform = normalise({os.empty() ? "linux" : os, string_at(document, "architecture"),
                               string_at(document, "variant")});
  read_run_defaults(object_at(document, "config"), config);
  if (const Json& rootfs = object_at(document, "rootfs"); !rootfs.is_null())
    for (const std::string& id : strings_at(rootfs, "diff_ids"))
      config.diff_ids.push_back(Digest::parse(id));
  for (const Json& entry : array_at(document, "history"))
    config.history.push_back(read_history(entry));
  return config;
} catch (const os::Error& error) {
  throw error.in("read an image configuration");
}

std::string format_config(const ImageConfig& config) {
  Json document = Json::object();
  if (config.created) document["created"] = format_timestamp(*config.created);
  put(document, "author", config.author);
  document["os"] = config.platform.os;
  document["architecture"] = config.platform.architecture;
  put(document, "variant", config.platform.variant);
  document["config"] = write_run_defaults(config);
  Json diff_ids = Json::array();
  for (const Digest& id : config.diff_ids) diff_ids.push_back(id.text());
  document["rootfs"] = {{"type", "layers"}, {"diff_ids", std::move(diff_ids)}};
  Json history = Json::array();
  for (const HistoryEntry& entry : config.history) history.push_back(write_history(entry));
  put(document, "history", history);
  return dump(document);
}

}  // namespace image
