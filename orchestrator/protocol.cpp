#include "orchestrator/protocol.hpp"

namespace orchestrator::protocol {

Json progress(const std::string& kind, const std::string& name, const std::string& status,
              bool final) {
  return {
      {"event", "progress"}, {"kind", kind}, {"name", name}, {"status", status}, {"final", final}};
}

Json warning(const std::string& message) { return {{"event", "warning"}, {"message", message}}; }

Json done(int exit_code) { return {{"event", "done"}, {"exit_code", exit_code}}; }

namespace {

// Each visits a message's members with their names, so that reading and writing cannot differ.

template <class Visitor, class M>
void up_members(M& m, Visitor&& visit) {
  visit("stack", m.stack);
  visit("working_directory", m.working_directory);
  visit("config_files", m.config_files);
  visit("services", m.services);
  visit("scale", m.scale);
  visit("no_deps", m.no_deps);
  visit("no_start", m.no_start);
  visit("force_recreate", m.force_recreate);
  visit("no_recreate", m.no_recreate);
  visit("always_recreate_deps", m.always_recreate_deps);
  visit("renew_anon_volumes", m.renew_anon_volumes);
  visit("remove_orphans", m.remove_orphans);
  visit("ignore_orphans", m.ignore_orphans);
  visit("wait", m.wait);
  visit("wait_timeout", m.wait_timeout);
  visit("timeout", m.timeout);
  visit("trace", m.trace);
}

template <class Visitor, class M>
void down_members(M& m, Visitor&& visit) {
  visit("stack", m.stack);
  visit("services", m.services);
  visit("volumes", m.volumes);
  visit("remove_orphans", m.remove_orphans);
  visit("remove_images", m.remove_images);
  visit("timeout", m.timeout);
}

template <class Visitor, class M>
void lifecycle_members(M& m, Visitor&& visit) {
  visit("stack", m.stack);
  visit("services", m.services);
  visit("timeout", m.timeout);
  visit("signal", m.signal);
  visit("no_deps", m.no_deps);
  visit("volumes", m.volumes);
  visit("stop", m.stop);
  visit("wait", m.wait);
  visit("wait_timeout", m.wait_timeout);
}

template <class Visitor, class M>
void run_members(M& m, Visitor&& visit) {
  visit("stack", m.stack);
  visit("working_directory", m.working_directory);
  visit("config_files", m.config_files);
  visit("service", m.service);
  visit("command", m.command);
  visit("has_entrypoint", m.has_entrypoint);
  visit("entrypoint", m.entrypoint);
  visit("environment", m.environment);
  visit("labels", m.labels);
  visit("cap_add", m.cap_add);
  visit("cap_drop", m.cap_drop);
  visit("volumes", m.volumes);
  visit("ports", m.ports);
  visit("user", m.user);
  visit("working_dir", m.working_dir);
  visit("name", m.name);
  visit("tty", m.tty);
  visit("interactive", m.interactive);
  visit("remove", m.remove);
  visit("no_deps", m.no_deps);
  visit("service_ports", m.service_ports);
  visit("use_aliases", m.use_aliases);
  visit("remove_orphans", m.remove_orphans);
}

auto writer(Json& json) {
  json = Json::object();
  return [&json](const char* key, const auto& value) { json[key] = value; };
}

auto reader(const Json& json) {
  return [&json](const char* key, auto& value) {
    if (const auto found = json.find(key); found != json.end()) found->get_to(value);
  };
}

}  // namespace

void to_json(Json& json, const Up& up) { up_members(up, writer(json)); }
void from_json(const Json& json, Up& up) { up_members(up, reader(json)); }
void to_json(Json& json, const Down& down) { down_members(down, writer(json)); }
void from_json(const Json& json, Down& down) { down_members(down, reader(json)); }
void to_json(Json& json, const Lifecycle& lifecycle) { lifecycle_members(lifecycle, writer(json)); }
void from_json(const Json& json, Lifecycle& lifecycle) {
  lifecycle_members(lifecycle, reader(json));
}
void to_json(Json& json, const Run& run) { run_members(run, writer(json)); }
void from_json(const Json& json, Run& run) { run_members(run, reader(json)); }

}  // namespace orchestrator::protocol
