#include "orchestrator/record.hpp"

#include <sys/random.h>

#include <ctime>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace orchestrator {

namespace {

/// Reads a member into `value` when it is there; a missing one keeps its default.
template <class Value>
void take(const Json& json, const char* key, Value& value) {
  if (const auto found = json.find(key); found != json.end()) found->get_to(value);
}

}  // namespace

void to_json(Json& json, const VolumeUse& use) {
  json = {{"name", use.name}, {"target", use.target}, {"anonymous", use.anonymous}};
}

void from_json(const Json& json, VolumeUse& use) {
  take(json, "name", use.name);
  take(json, "target", use.target);
  take(json, "anonymous", use.anonymous);
}

void to_json(Json& json, const Outcome& outcome) {
  json = {{"exit_code", outcome.exit_code},
          {"oom_killed", outcome.oom_killed},
          {"error", outcome.error},
          {"started_at", outcome.started_at},
          {"finished_at", outcome.finished_at}};
}

void from_json(const Json& json, Outcome& outcome) {
  take(json, "exit_code", outcome.exit_code);
  take(json, "oom_killed", outcome.oom_killed);
  take(json, "error", outcome.error);
  take(json, "started_at", outcome.started_at);
  take(json, "finished_at", outcome.finished_at);
}

void to_json(Json& json, const ContainerRecord& record) {
  json = {{"version", 1},
          {"id", record.id},
          {"name", record.name},
          {"project", record.project},
          {"service", record.service},
          {"number", record.number},
          {"oneoff", record.oneoff},
          {"remove_on_exit", record.remove_on_exit},
          {"image", record.image},
          {"image_id", record.image_id},
          {"config_hash", record.config_hash},
          {"labels", record.labels},
          {"volumes", record.volumes},
          {"created_at", record.created_at},
          {"stopped_by_user", record.stopped_by_user},
          {"model", record.model},
          {"fingerprint", record.fingerprint}};
  if (record.outcome) json["outcome"] = *record.outcome;
}

void from_json(const Json& json, ContainerRecord& record) {
  take(json, "id", record.id);
  take(json, "name", record.name);
  take(json, "project", record.project);
  take(json, "service", record.service);
  take(json, "number", record.number);
  take(json, "oneoff", record.oneoff);
  take(json, "remove_on_exit", record.remove_on_exit);
  take(json, "image", record.image);
  take(json, "image_id", record.image_id);
  take(json, "config_hash", record.config_hash);
  take(json, "labels", record.labels);
  take(json, "volumes", record.volumes);
  take(json, "created_at", record.created_at);
  take(json, "stopped_by_user", record.stopped_by_user);
  take(json, "model", record.model);
  take(json, "fingerprint", record.fingerprint);
  if (const auto found = json.find("outcome"); found != json.end())
    record.outcome = found->get<Outcome>();
}

void to_json(Json& json, const PublishedPort& port) {
  json = {{"host_ip", port.host_ip},
          {"published", port.published},
          {"target", port.target},
          {"protocol", port.protocol}};
}

void from_json(const Json& json, PublishedPort& port) {
  take(json, "host_ip", port.host_ip);
  take(json, "published", port.published);
  take(json, "target", port.target);
  take(json, "protocol", port.protocol);
}

void to_json(Json& json, const NetworkAddress& address) {
  json = {{"network", address.network},
          {"ipv4", address.ipv4},
          {"ipv6", address.ipv6},
          {"mac", address.mac}};
}

void from_json(const Json& json, NetworkAddress& address) {
  take(json, "network", address.network);
  take(json, "ipv4", address.ipv4);
  take(json, "ipv6", address.ipv6);
  take(json, "mac", address.mac);
}

void to_json(Json& json, const ProbeResult& probe) {
  json = {{"started_at", probe.started_at},
          {"finished_at", probe.finished_at},
          {"exit_code", probe.exit_code},
          {"output", probe.output}};
}

void from_json(const Json& json, ProbeResult& probe) {
  take(json, "started_at", probe.started_at);
  take(json, "finished_at", probe.finished_at);
  take(json, "exit_code", probe.exit_code);
  take(json, "output", probe.output);
}

void to_json(Json& json, const ContainerStatus& status) {
  json = {{"state", status.state},
          {"started_at", status.started_at},
          {"restart_count", status.restart_count},
          {"health", status.health},
          {"failing_streak", status.failing_streak},
          {"probes", status.probes},
          {"ports", status.ports},
          {"networks", status.networks}};
}

void from_json(const Json& json, ContainerStatus& status) {
  take(json, "state", status.state);
  take(json, "started_at", status.started_at);
  take(json, "restart_count", status.restart_count);
  take(json, "health", status.health);
  take(json, "failing_streak", status.failing_streak);
  take(json, "probes", status.probes);
  take(json, "ports", status.ports);
  take(json, "networks", status.networks);
}

namespace {

/// Output of a probe or a name may hold bytes that are no UTF-8; they are shown as U+FFFD.
std::string dump(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Begins the names of directories that are not yet, or no longer, a container of the project.
std::string unfinished_prefix(const std::string& project) { return "." + project + "."; }

std::string unfinished_directory(const Paths& paths, const ContainerRecord& record) {
  return paths.container(unfinished_prefix(record.project) + record.short_id());
}

void rename_directory(const std::string& from, const std::string& to) {
  os::check(::rename(from.c_str(), to.c_str()),
            [&] { return "rename '" + from + "' to '" + to + "'"; });
}

}  // namespace

void create_record(const Paths& paths, const ContainerRecord& record) {
  const std::string unfinished = unfinished_directory(paths, record);
  os::make_directories(unfinished, 0700);
  os::write_file_atomic(unfinished + "/record.json", dump(Json(record)));
  rename_directory(unfinished, paths.container(record.short_id()));
}

void write_record(const Paths& paths, const ContainerRecord& record) {
  os::write_file_atomic(paths.container(record.short_id()) + "/record.json", dump(Json(record)));
}

void remove_container_directory(const Paths& paths, const ContainerRecord& record) {
  const std::string unfinished = unfinished_directory(paths, record);
  const std::string directory = paths.container(record.short_id());
  if (os::exists(directory)) rename_directory(directory, unfinished);
  os::remove_tree(unfinished);
}

void sweep_containers(const Paths& paths, const std::string& project) {
  for (const std::string& name : os::list_directory(paths.containers()))
    if (name.starts_with(unfinished_prefix(project))) os::remove_tree(paths.container(name));
}

void write_status(const Paths& paths, const std::string& short_id, const ContainerStatus& status) {
  const std::string directory = paths.container_run(short_id);
  os::make_directories(directory, 0700);
  os::write_file_atomic(directory + "/status.json", dump(Json(status)));
}

std::vector<ContainerRecord> read_records(const Paths& paths, const std::string& project,
                                          std::vector<std::string>* broken) {
  std::vector<ContainerRecord> records;
  for (const std::string& name : os::list_directory(paths.containers())) {
    if (name.starts_with('.')) continue;
    const std::string path = paths.container(name) + "/record.json";
    try {
      const auto text = os::read_file_if_exists(path);
      if (!text) continue;  // it has just been removed
      auto record = Json::parse(*text).get<ContainerRecord>();
      if (record.short_id() != name) throw os::Error("record of another container");
      if (project.empty() || record.project == project) records.push_back(std::move(record));
    } catch (const std::exception& error) {
      if (broken != nullptr) broken->push_back(path + ": " + error.what());
    }
  }
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return records;
}

std::optional<ContainerStatus> read_status(const Paths& paths, const std::string& short_id) {
  const auto text = os::read_file_if_exists(paths.container_run(short_id) + "/status.json");
  if (!text) return std::nullopt;
  return Json::parse(*text).get<ContainerStatus>();
}

std::string make_container_id() {
  std::array<unsigned char, 32> bytes{};
  os::check(::getrandom(bytes.data(), bytes.size(), 0),
            [] { return std::string("read random bytes"); });
  std::string id;
  for (const unsigned char byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

std::string timestamp_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  char seconds[32];
  std::strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%s.%09ldZ", seconds, now.tv_nsec);
  return text;
}

}  // namespace orchestrator
