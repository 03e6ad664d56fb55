#include "runtime/container/state.hpp"

#include <time.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "runtime/container/json_reader.hpp"
#include "runtime/container/json_writer.hpp"
#include "runtime/container/spec_json.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace container {

using nlohmann::json;

namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMaxRecord = 1024 * 1024;

json identity_json(const os::ProcessIdentity& identity) {
  return {{"pid", identity.pid}, {"start_time", identity.start_time}};
}

void read_identity(const JsonReader& reader, std::string_view key,
                   std::optional<os::ProcessIdentity>& target) {
  const auto found = reader.find(key);
  if (!found || !found->is_object()) return;
  os::ProcessIdentity identity;
  found->property("pid", identity.pid);
  found->property("start_time", identity.start_time);
  if (identity.pid <= 0)
    found->mistake("no process has the number " + std::to_string(identity.pid));
  target = identity;
}

void read_failure(const JsonReader& reader, std::optional<Failure>& target) {
  const auto found = reader.find("failure");
  if (!found || !found->is_object()) return;
  Failure failure;
  found->property("stage", failure.stage);
  found->property("errno", failure.errnum);
  found->property("message", failure.message);
  found->property("exit_code", failure.exit_code);
  target = std::move(failure);
}

}  // namespace

std::string_view status_name(Status status) noexcept {
  static constexpr std::array<std::string_view, 6> kNames = {"creating", "created", "running",
                                                             "paused",   "stopped", "failed"};
  return kNames[static_cast<std::size_t>(status)];
}

std::optional<Status> status_from_name(std::string_view name) noexcept {
  for (int i = 0; i <= static_cast<int>(Status::failed); ++i) {
    if (status_name(static_cast<Status>(i)) == name) return static_cast<Status>(i);
  }
  return std::nullopt;
}

json state_to_json(const State& state) {
  json object = {{"version", kVersion},
                 {"id", state.id},
                 {"bundle", state.bundle},
                 {"status", std::string(status_name(state.status))},
                 {"boot_id", state.boot_id},
                 {"cgroups", state.cgroups},
                 {"oom_killed", state.oom_killed},
                 {"signal", state.signal}};
  if (state.monitor) object["monitor"] = identity_json(*state.monitor);
  if (state.init) object["init"] = identity_json(*state.init);
  put(object, "created_at", state.created_at);
  put(object, "started_at", state.started_at);
  put(object, "finished_at", state.finished_at);
  put(object, "exit_code", state.exit_code);
  put(object, "annotations", state.annotations);
  if (state.failure) {
    object["failure"] = {{"stage", state.failure->stage},
                         {"errno", state.failure->errnum},
                         {"message", state.failure->message},
                         {"exit_code", state.failure->exit_code}};
  }
  return object;
}

State state_from_json(const json& root) {
  std::vector<std::string> mistakes;
  const JsonReader reader(root, "state", mistakes);
  State state;
  int version = 0;
  if (reader.is_object()) {
    reader.property("version", version);
    if (version != kVersion) {
      reader.mistake("the record has version " + std::to_string(version) + ", not " +
                     std::to_string(kVersion));
    }
    reader.property("id", state.id);
    reader.property("bundle", state.bundle);
    if (!reader.find("status")) reader.mistake("the record has no status");
    reader.name("status", state.status, status_from_name, "a status");
    reader.property("boot_id", state.boot_id);
    read_identity(reader, "monitor", state.monitor);
    read_identity(reader, "init", state.init);
    reader.property("cgroups", state.cgroups);
    reader.property("created_at", state.created_at);
    reader.property("started_at", state.started_at);
    reader.property("finished_at", state.finished_at);
    reader.property("exit_code", state.exit_code);
    reader.property("signal", state.signal);
    reader.property("oom_killed", state.oom_killed);
    read_failure(reader, state.failure);
    reader.property("annotations", state.annotations);
  }
  throw_mistakes(mistakes);
  return state;
}

std::optional<State> read_state(const StatePaths& paths) {
  const auto text = os::read_file_if_exists(paths.record(), kMaxRecord);
  if (!text) return std::nullopt;
  try {
    return state_from_json(parse_json(*text, paths.record()));
  } catch (const os::Error& error) {
    throw error.in("read the state of '" + paths.directory + "'");
  }
}

void write_state(const StatePaths& paths, const State& state) {
  os::write_file_atomic(paths.record(), state_to_json(state).dump(2) + "\n");
}

std::string timestamp_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ",
                utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                utc.tm_sec, now.tv_nsec);
  return text.data();
}

}  // namespace container
