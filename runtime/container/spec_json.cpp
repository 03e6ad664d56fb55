#include "runtime/container/spec_json.hpp"

#include <nlohmann/json.hpp>

#include "runtime/container/json_reader.hpp"
#include "runtime/container/json_writer.hpp"
#include "runtime/container/spec_json_linux.hpp"
#include "runtime/os/error.hpp"

namespace container {

using nlohmann::json;

// Reading.

void read_json(const JsonReader& reader, ConsoleSize& size) {
  if (!reader.is_object()) return;
  reader.property("height", size.height);
  reader.property("width", size.width);
}

void read_json(const JsonReader& reader, User& user) {
  if (!reader.is_object()) return;
  reader.property("uid", user.uid);
  reader.property("gid", user.gid);
  reader.property("umask", user.umask);
  reader.property("additionalGids", user.additional_gids);
}

void read_json(const JsonReader& reader, Rlimit& limit) {
  if (!reader.is_object()) return;
  reader.property("type", limit.type);
  reader.property("soft", limit.soft);
  reader.property("hard", limit.hard);
}

void read_json(const JsonReader& reader, Capabilities& capabilities) {
  if (!reader.is_object()) return;
  reader.property("bounding", capabilities.bounding);
  reader.property("effective", capabilities.effective);
  reader.property("inheritable", capabilities.inheritable);
  reader.property("permitted", capabilities.permitted);
  reader.property("ambient", capabilities.ambient);
}

void read_json(const JsonReader& reader, Scheduler& scheduler) {
  if (!reader.is_object()) return;
  reader.property("policy", scheduler.policy);
  reader.property("nice", scheduler.nice);
  reader.property("priority", scheduler.priority);
  reader.property("flags", scheduler.flags);
  reader.property("runtime", scheduler.runtime);
  reader.property("deadline", scheduler.deadline);
  reader.property("period", scheduler.period);
}

void read_json(const JsonReader& reader, IoPriority& priority) {
  if (!reader.is_object()) return;
  reader.property("class", priority.io_class);
  reader.property("priority", priority.priority);
}

void read_json(const JsonReader& reader, Process& process) {
  if (!reader.is_object()) return;
  reader.property("terminal", process.terminal);
  reader.property("consoleSize", process.console_size);
  reader.property("user", process.user);
  reader.property("args", process.args);
  reader.property("env", process.env);
  reader.property("cwd", process.cwd);
  reader.property("capabilities", process.capabilities);
  reader.property("rlimits", process.rlimits);
  reader.property("noNewPrivileges", process.no_new_privileges);
  reader.property("apparmorProfile", process.apparmor_profile);
  reader.property("oomScoreAdj", process.oom_score_adj);
  reader.property("selinuxLabel", process.selinux_label);
  reader.property("scheduler", process.scheduler);
  reader.property("ioPriority", process.io_priority);
}

void read_json(const JsonReader& reader, Root& root) {
  if (!reader.is_object()) return;
  reader.property("path", root.path);
  reader.property("readonly", root.readonly);
}

void read_json(const JsonReader& reader, Mount& mount) {
  if (!reader.is_object()) return;
  reader.property("destination", mount.destination);
  reader.property("type", mount.type);
  reader.property("source", mount.source);
  reader.property("options", mount.options);
  reader.property("uidMappings", mount.uid_mappings);
  reader.property("gidMappings", mount.gid_mappings);
}

void read_json(const JsonReader& reader, Hook& hook) {
  if (!reader.is_object()) return;
  reader.property("path", hook.path);
  reader.property("args", hook.args);
  reader.property("env", hook.env);
  reader.property("timeout", hook.timeout);
}

void read_json(const JsonReader& reader, Hooks& hooks) {
  if (!reader.is_object()) return;
  reader.property("prestart", hooks.prestart);
  reader.property("createRuntime", hooks.create_runtime);
  reader.property("createContainer", hooks.create_container);
  reader.property("startContainer", hooks.start_container);
  reader.property("poststart", hooks.poststart);
  reader.property("poststop", hooks.poststop);
}

void read_json(const JsonReader& reader, Spec& spec) {
  if (!reader.is_object()) return;
  spec.oci_version.clear();  // required: what is absent must not become ours
  reader.property("ociVersion", spec.oci_version);
  reader.property("process", spec.process);
  reader.property("root", spec.root);
  reader.property("hostname", spec.hostname);
  reader.property("domainname", spec.domainname);
  reader.property("mounts", spec.mounts);
  reader.property("hooks", spec.hooks);
  reader.property("linux", spec.linux);
  reader.property("annotations", spec.annotations);
}

// Writing.

void to_json(json& object, const ConsoleSize& size) {
  object = {{"height", size.height}, {"width", size.width}};
}

void to_json(json& object, const User& user) {
  object = {{"uid", user.uid}, {"gid", user.gid}};
  put(object, "umask", user.umask);
  put(object, "additionalGids", user.additional_gids);
}

void to_json(json& object, const Rlimit& limit) {
  object = {{"type", limit.type}, {"soft", limit.soft}, {"hard", limit.hard}};
}

void to_json(json& object, const Capabilities& capabilities) {
  object = json::object();
  put(object, "bounding", capabilities.bounding);
  put(object, "effective", capabilities.effective);
  put(object, "inheritable", capabilities.inheritable);
  put(object, "permitted", capabilities.permitted);
  put(object, "ambient", capabilities.ambient);
}

void to_json(json& object, const Scheduler& scheduler) {
  object = {{"policy", scheduler.policy}};
  put(object, "nice", scheduler.nice);
  put(object, "priority", scheduler.priority);
  put(object, "flags", scheduler.flags);
  put(object, "runtime", scheduler.runtime);
  put(object, "deadline", scheduler.deadline);
  put(object, "period", scheduler.period);
}

void to_json(json& object, const IoPriority& priority) {
  object = {{"class", priority.io_class}, {"priority", priority.priority}};
}

void to_json(json& object, const Process& process) {
  object = {{"user", process.user}, {"args", process.args}, {"cwd", process.cwd}};
  put(object, "terminal", process.terminal);
  put(object, "consoleSize", process.console_size);
  put(object, "env", process.env);
  put(object, "capabilities", process.capabilities);
  put(object, "rlimits", process.rlimits);
  put(object, "noNewPrivileges", process.no_new_privileges);
  put(object, "apparmorProfile", process.apparmor_profile);
  put(object, "oomScoreAdj", process.oom_score_adj);
  put(object, "selinuxLabel", process.selinux_label);
  put(object, "scheduler", process.scheduler);
  put(object, "ioPriority", process.io_priority);
}

void to_json(json& object, const Root& root) {
  object = {{"path", root.path}};
  put(object, "readonly", root.readonly);
}

void to_json(json& object, const Mount& mount) {
  object = {{"destination", mount.destination}};
  put(object, "type", mount.type);
  put(object, "source", mount.source);
  put(object, "options", mount.options);
  put(object, "uidMappings", mount.uid_mappings);
  put(object, "gidMappings", mount.gid_mappings);
}

void to_json(json& object, const Hook& hook) {
  object = {{"path", hook.path}};
  put(object, "args", hook.args);
  put(object, "env", hook.env);
  put(object, "timeout", hook.timeout);
}

void to_json(json& object, const Hooks& hooks) {
  object = json::object();
  put(object, "prestart", hooks.prestart);
  put(object, "createRuntime", hooks.create_runtime);
  put(object, "createContainer", hooks.create_container);
  put(object, "startContainer", hooks.start_container);
  put(object, "poststart", hooks.poststart);
  put(object, "poststop", hooks.poststop);
}

void to_json(json& object, const Spec& spec) {
  object = {{"ociVersion", spec.oci_version}};
  put(object, "process", spec.process);
  put(object, "root", spec.root);
  put(object, "hostname", spec.hostname);
  put(object, "domainname", spec.domainname);
  put(object, "mounts", spec.mounts);
  put(object, "hooks", json(spec.hooks));
  put(object, "linux", json(spec.linux));
  put(object, "annotations", spec.annotations);
}

// The whole.

namespace {

template <class Value>
Value read_root(const json& root, std::string path) {
  std::vector<std::string> mistakes;
  Value value;
  read_json(JsonReader(root, std::move(path), mistakes), value);
  throw_mistakes(mistakes);
  return value;
}

}  // namespace

Spec spec_from_json(const json& root) { return read_root<Spec>(root, ""); }
json spec_to_json(const Spec& spec) { return spec; }
Process process_from_json(const json& root) { return read_root<Process>(root, "process"); }
json process_to_json(const Process& process) { return process; }
Resources resources_from_json(const json& root) { return read_root<Resources>(root, "resources"); }
json resources_to_json(const Resources& resources) { return resources; }

json parse_json(std::string_view text, const std::string& origin) {
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    throw os::Error(origin + ": " + error.what());
  }
}

}  // namespace container
