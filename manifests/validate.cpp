#include "manifests/validate.hpp"

#include <algorithm>

#include "manifests/cycle.hpp"
#include "manifests/values.hpp"

namespace manifests {

namespace {

/// Reports against dotted paths of one stack.
class Reporter {
 public:
  Reporter(const Stack& stack, Diagnostics& diagnostics)
      : stack_(stack), diagnostics_(diagnostics) {}

  void error(const std::string& path, std::string message, std::string hint = {},
             std::string suggestion = {}) const {
    const Position* at = stack_.position(path);
    Diagnostic& diagnostic = diagnostics_.error(at ? *at : Position{}, std::move(message));
    diagnostic.path = path;
    diagnostic.hint = std::move(hint);
    diagnostic.suggestion = std::move(suggestion);
  }

  void warning(const std::string& path, std::string message, std::string hint) const {
    const Position* at = stack_.position(path);
    Diagnostic& diagnostic = diagnostics_.warning(at ? *at : Position{}, std::move(message));
    diagnostic.path = path;
    diagnostic.hint = std::move(hint);
  }

  /// An error about a name that `map` does not have; `otherwise` is said when none is near.
  template <class Map>
  void unknown(const std::string& path, std::string message, const std::string& name,
               const Map& map, std::string otherwise) const {
    const std::string near = nearest_key(name, map);
    error(path, std::move(message), near.empty() ? otherwise : "did you mean '" + near + "'?",
          near);
  }

  const Stack& stack() const { return stack_; }

 private:
  /// Comparing many unknown names with many known ones would take too long.
  static constexpr std::size_t kMaxCompared = 1'000'000;

  template <class Map>
  std::string nearest_key(const std::string& name, const Map& map) const {
    if (compared_ > kMaxCompared) return {};
    compared_ += map.size();
    std::vector<std::string> names;
    for (const auto& [key, value] : map) names.push_back(key);
    return nearest(name, names);
  }

  const Stack& stack_;
  Diagnostics& diagnostics_;
  mutable std::size_t compared_ = 0;
};

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string index(std::size_t i) { return "[" + std::to_string(i) + "]"; }

// ---------------------------------------------------------------- every part of the model

void check_sources(const std::string& path, const FileObject& object, bool may_be_inline,
                   const Reporter& report) {
  const std::string names = may_be_inline ? "file|environment|content" : "file|environment";
  const int sources = (object.file.empty() ? 0 : 1) + (object.environment.empty() ? 0 : 1) +
                      (may_be_inline && object.content ? 1 : 0);
  if (sources > 1) report.error(path, path + ": " + names + " attributes are mutually exclusive");
  if (sources > 0 || !object.driver.empty() || object.external) return;
  report.error(path, path + ": one of " + names + " must be set");
}

void check_external_volume(const std::string& path, const Volume& volume, const Reporter& report) {
  if (!volume.external) return;
  const auto conflict = [&](const char* key) {
    report.error(path + "." + key, path + ": conflicting parameters \"external\" and " +
                                       in_quotes(key) + " specified");
  };
  if (!volume.driver.empty()) conflict("driver");
  if (!volume.driver_opts.empty()) conflict("driver_opts");
  if (!volume.labels.empty()) conflict("labels");
}

void check_device_requests(const std::string& path, const std::vector<DeviceRequest>& requests,
                           const Reporter& report) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].count == 0 || requests[i].device_ids.empty()) continue;
    report.error(path + index(i),
                 path + index(i) + ": \"count\" and \"device_ids\" attributes are exclusive");
  }
}

/// `3000`, `8000-8010`, `53/udp`
bool is_exposed_port(std::string_view text) {
  const std::string_view ports = text.substr(0, text.find('/'));
  const std::string_view last = ports.substr(std::min(ports.find('-') + 1, ports.size()));
  const bool range = ports.find('-') != std::string_view::npos;
  const auto is_port = [](std::string_view number) {
    const auto read = parse_integer(number);
    const auto* value = std::get_if<std::int64_t>(&read);
    return value != nullptr && *value >= 0 && *value <= 65535;
  };
  if (text.find('/') != std::string_view::npos) {
    const std::string_view protocol = text.substr(text.find('/') + 1);
    if (protocol != "tcp" && protocol != "udp" && protocol != "sctp") return false;
  }
  return is_port(ports.substr(0, ports.find('-'))) && (!range || is_port(last));
}

void check_values(const std::string& path, const Service& service, const Reporter& report) {
  for (std::size_t i = 0; i < service.ports.size(); ++i) {
    const Port& port = service.ports[i];
    const std::string at = path + ".ports" + index(i);
    if (!port.host_ip.empty() && !is_ip_address(port.host_ip)) {
      report.error(at + ".host_ip", at + ": invalid ip address: " + port.host_ip);
    }
  }
  for (std::size_t i = 0; i < service.expose.size(); ++i) {
    if (is_exposed_port(service.expose[i])) continue;
    report.error(path + ".expose" + index(i),
                 path + ".expose" + index(i) + ": invalid port: " + service.expose[i],
                 "write PORT[-PORT][/PROTOCOL], as in 3000 or 53/udp");
  }
  if (service.develop) {
    for (std::size_t i = 0; i < service.develop->watch.size(); ++i) {
      if (!service.develop->watch[i].path.empty()) continue;
      const std::string at = path + ".develop.watch" + index(i) + ".path";
      report.error(at, at + ": value can't be blank");
    }
  }
  check_device_requests(path + ".gpus", service.gpus, report);
  if (service.deploy && service.deploy->resources.reservations) {
    check_device_requests(path + ".deploy.resources.reservations.devices",
                          service.deploy->resources.reservations->devices, report);
  }
}

// ---------------------------------------------------------------- references

template <class Map>
void check_reference(const Service& service, const std::string& path, const char* what,
                     const std::string& name, const Map& known, const Reporter& report) {
  if (known.contains(name)) return;
  const std::string kind = std::string_view(what) == "build secret" ? "secret" : what;
  report.unknown(
      path, "service " + in_quotes(service.name) + " refers to undefined " + what + " " + name,
      name, known, "declare it at the top level: `" + kind + "s:` and below it `" + name + ":`");
}

void check_references(const std::string& path, const Service& service, const Reporter& report) {
  const Stack& stack = report.stack();
  for (const auto& [name, attachment] : service.networks) {
    check_reference(service, path + ".networks." + name, "network", name, stack.networks, report);
  }
  for (std::size_t i = 0; i < service.volumes.size(); ++i) {
    const Mount& mount = service.volumes[i];
    if (mount.type != MountType::volume || mount.source.empty()) continue;
    check_reference(service, path + ".volumes" + index(i) + ".source", "volume", mount.source,
                    stack.volumes, report);
  }
  for (std::size_t i = 0; i < service.configs.size(); ++i) {
    check_reference(service, path + ".configs" + index(i) + ".source", "config",
                    service.configs[i].source, stack.configs, report);
  }
  for (std::size_t i = 0; i < service.secrets.size(); ++i) {
    check_reference(service, path + ".secrets" + index(i) + ".source", "secret",
                    service.secrets[i].source, stack.secrets, report);
  }
  for (const auto& [name, use] : service.models) {
    check_reference(service, path + ".models." + name, "model", name, stack.models, report);
  }
  for (std::size_t i = 0; service.build && i < service.build->secrets.size(); ++i) {
    check_reference(service, path + ".build.secrets" + index(i) + ".source", "build secret",
                    service.build->secrets[i].source, stack.secrets, report);
  }
}

/// Where a dependency stands: in `depends_on`, or in the attribute that implies it.
std::string written_at(const std::string& path, const std::string& name, const Service& service,
                       const Stack& stack) {
  if (stack.positions.contains(path + ".depends_on." + name)) return path + ".depends_on." + name;
  const auto names_it = [&](const std::string& text) {
    return text == name || text.starts_with(name + ":");
  };
  for (std::size_t i = 0; i < service.links.size(); ++i)
    if (names_it(service.links[i])) return path + ".links" + index(i);
  for (std::size_t i = 0; i < service.volumes_from.size(); ++i)
    if (names_it(service.volumes_from[i])) return path + ".volumes_from" + index(i);
  const std::pair<const char*, const std::string*> modes[] = {
      {".network_mode", &service.network_mode},
      {".ipc", &service.ipc},
      {".pid", &service.pid},
      {".uts", &service.uts},
      {".cgroup", &service.cgroup}};
  for (const auto& [key, mode] : modes)
    if (namespace_target(*mode).service == name) return path + key;
  return path + ".depends_on." + name;
}

void check_dependencies(const std::string& path, const Service& service, const Reporter& report) {
  const Stack& stack = report.stack();
  for (const auto& [name, dependency] : service.depends_on) {
    if (stack.services.contains(name)) continue;
    const bool disabled = stack.disabled_services.contains(name);
    if (disabled && !dependency.required) continue;
    const std::string at = written_at(path, name, service, stack);
    const std::string message =
        "service " + in_quotes(service.name) + " depends on undefined service " + in_quotes(name);
    if (disabled)
      report.error(at, message, "it is declared, but none of its profiles is active");
    else
      report.unknown(at, message, name, stack.services, "add the service, or take its name out");
  }
  const std::string shared = namespace_target(service.network_mode).service;
  if (!shared.empty() && !stack.services.contains(shared)) {
    report.unknown(
        path + ".network_mode",
        "service " + in_quotes(shared) + " not found for network_mode 'service:" + shared + "'",
        shared, stack.services, "add the service");
  }
}

/// What waits for a service to be healthy waits for a health check; its image may bring one.
void check_health_conditions(const std::string& path, const Service& service,
                             const Reporter& report) {
  for (const auto& [name, dependency] : service.depends_on) {
    if (dependency.condition != Condition::service_healthy) continue;
    const auto found = report.stack().services.find(name);
    if (found == report.stack().services.end()) continue;
    const auto& check = found->second.healthcheck;
    if (check && !check->disabled()) continue;
    report.warning(path + ".depends_on." + name,
                   "service " + in_quotes(service.name) + " waits for " + in_quotes(name) +
                       " to be healthy, but " + in_quotes(name) +
                       (check ? " has its health check turned off" : " has no health check"),
                   check ? "turn it on" : "add `healthcheck:` to it, unless its image has one");
  }
}

// ---------------------------------------------------------------- attributes against each other

void check_build(const std::string& path, const Service& service, const Reporter& report) {
  if (!service.build) {
    if (!service.image.empty() || service.provider) return;
    report.error(path,
                 "service " + in_quotes(service.name) +
                     " has neither an image nor a build context specified",
                 "add `image:` or `build:`");
    return;
  }
  const Build& build = *service.build;
  if (!build.dockerfile_inline.empty() && !build.dockerfile.empty()) {
    report.error(path + ".build.dockerfile_inline",
                 "service " + in_quotes(service.name) +
                     " declares mutualy exclusive dockerfile and dockerfile_inline");
  }
  for (const auto& [name, context] : build.additional_contexts) {
    const std::string target = namespace_target(context).service;
    if (target.empty()) continue;
    const auto found = report.stack().services.find(target);
    const bool known = found != report.stack().services.end();
    if (known && found->second.build) continue;
    report.error(path + ".build.additional_contexts." + name,
                 "service " + in_quotes(service.name) + " declares " +
                     (known ? "non-buildable" : "unknown") + " service " + in_quotes(target) +
                     " as additional contexts " + name);
  }
  const bool listed = std::find(build.platforms.begin(), build.platforms.end(), service.platform) !=
                      build.platforms.end();
  if (!build.platforms.empty() && !service.platform.empty() && !listed) {
    report.error(
        path + ".build.platforms",
        "service.build.platforms MUST include service.platform " + in_quotes(service.platform));
  }
}

/// Two places for one value may agree, or one of them may be silent (decision 0.14).
template <class T>
void check_same(const std::string& path, const char* key, const T& own, const char* deploy_key,
                const T& deployed, const Reporter& report) {
  if (own == T{} || deployed == T{} || own == deployed) return;
  report.error(path + "." + key,
               path + ": can't set distinct values on '" + key + "' and '" + deploy_key + "'");
}

void check_limits(const std::string& path, const Service& service, const Reporter& report) {
  if (!service.deploy) return;
  const Resources& resources = service.deploy->resources;
  if (const auto& limits = resources.limits) {
    check_same(path, "cpus", service.cpus, "deploy.resources.limits.cpus", limits->cpus, report);
    check_same(path, "mem_limit", service.mem_limit, "deploy.resources.limits.memory",
               limits->memory, report);
    check_same(path, "pids_limit", service.pids_limit, "deploy.resources.limits.pids", limits->pids,
               report);
  }
  if (const auto& reserved = resources.reservations) {
    check_same(path, "mem_reservation", service.mem_reservation,
               "deploy.resources.reservations.memory", reserved->memory, report);
  }
}

void check_scale(const std::string& path, const Service& service, const Reporter& report) {
  const std::int64_t* replicas =
      service.deploy && service.deploy->replicas ? &service.deploy->replicas.value() : nullptr;
  if (service.scale && replicas != nullptr && *service.scale != *replicas) {
    report.error(path + ".scale",
                 path + ": can't set distinct values on 'scale' and 'deploy.replicas'");
  }
  if (service.scale && *service.scale < 0) {
    report.error(path + ".scale", path + ".scale: must be greater than or equal to 0");
  }
  if (replicas != nullptr && *replicas < 0) {
    report.error(path + ".deploy.replicas",
                 path + ".deploy.replicas: must be greater than or equal to 0");
  }
  if (service.replicas() > 1 && !service.container_name.empty()) {
    report.error(path + ".container_name", path + ": can't set container_name and " +
                                               (service.scale ? "scale" : "deploy.replicas") +
                                               " as container name must be unique");
  }
}

void check_healthcheck(const std::string& path, const Service& service, const Reporter& report) {
  if (!service.healthcheck) return;
  const Healthcheck& check = *service.healthcheck;
  static constexpr std::string_view kFirst[] = {"CMD", "CMD-SHELL", "NONE"};
  if (!check.test.empty() &&
      std::find(std::begin(kFirst), std::end(kFirst), check.test.front()) == std::end(kFirst)) {
    report.error(path + ".healthcheck.test",
                 "healthcheck.test must start either by \"CMD\", \"CMD-SHELL\" or \"NONE\"",
                 "write a string, or [\"CMD-SHELL\", \"…\"]");
  }
}

void check_watch(const std::string& path, const Service& service, const Reporter& report) {
  if (!service.develop) return;
  for (std::size_t i = 0; i < service.develop->watch.size(); ++i) {
    const WatchRule& rule = service.develop->watch[i];
    const bool needs_target =
        rule.action != WatchAction::rebuild && rule.action != WatchAction::restart;
    if (!needs_target || !rule.target.empty()) continue;
    report.error(path + ".develop.watch" + index(i),
                 path + ".develop.watch: target is required for non-rebuild actions");
  }
}

void check_mounts(const std::string& path, const Service& service, const Reporter& report) {
  std::map<std::string, std::string> taken;
  const auto take = [&](const std::string& target, const std::string& at) {
    const auto [first, fresh] = taken.try_emplace(target, at);
    if (fresh) return;
    report.error(at, at + ": target " + target + " already mounted as " + first->second);
  };
  for (std::size_t i = 0; i < service.tmpfs.size(); ++i) {
    take(service.tmpfs[i].substr(0, service.tmpfs[i].find(':')), path + ".tmpfs" + index(i));
  }
  for (std::size_t i = 0; i < service.volumes.size(); ++i) {
    const Mount& mount = service.volumes[i];
    const std::string at = path + ".volumes" + index(i);
    take(mount.target, at);
    if (mount.type == MountType::bind && mount.source.empty()) {
      report.error(at, "invalid mount config for type \"bind\": field Source must not be empty",
                   "add `source:`");
    }
  }
}

void check_service(const std::string& path, const Service& service, const Reporter& report) {
  check_build(path, service, report);
  if (!service.network_mode.empty() && !service.networks.empty()) {
    report.error(
        path + ".network_mode",
        "service " + service.name + " declares mutually exclusive `network_mode` and `networks`");
  }
  check_references(path, service, report);
  check_healthcheck(path, service, report);
  check_dependencies(path, service, report);
  check_health_conditions(path, service, report);
  check_scale(path, service, report);
  check_limits(path, service, report);
  check_watch(path, service, report);
  check_mounts(path, service, report);
}

void check_container_names(const Stack& stack, const Reporter& report) {
  std::map<std::string, std::string> taken;
  for (const auto& [name, service] : stack.services) {
    if (service.container_name.empty()) continue;
    const auto [first, fresh] = taken.try_emplace(service.container_name, name);
    if (fresh) continue;
    report.error("services." + name + ".container_name",
                 "services." + name + ": container name " + in_quotes(service.container_name) +
                     " is already in use by service " + first->second);
  }
}

}  // namespace

void validate_resources(const Stack& stack, Diagnostics& diagnostics) {
  const Reporter report(stack, diagnostics);
  for (const auto& [name, config] : stack.configs) {
    check_sources("configs." + name, config, true, report);
  }
  for (const auto& [name, secret] : stack.secrets) {
    check_sources("secrets." + name, secret, false, report);
  }
  for (const auto& [name, volume] : stack.volumes) {
    check_external_volume("volumes." + name, volume, report);
  }
  for (const auto& [name, service] : stack.services) {
    check_values("services." + name, service, report);
  }
  for (const auto& [name, service] : stack.disabled_services) {
    check_values("services." + name, service, report);
  }
}

void validate(const Stack& stack, Diagnostics& diagnostics) {
  const Reporter report(stack, diagnostics);
  for (const auto& [name, service] : stack.services) {
    check_service("services." + name, service, report);
  }
  check_container_names(stack, report);
  for (const std::vector<std::string>& cycle : dependency_cycles(stack)) {
    std::string text;
    for (const std::string& name : cycle) text += (text.empty() ? "" : " -> ") + name;
    report.error("services." + cycle[cycle.size() - 2] + ".depends_on." + cycle.back(),
                 "dependency cycle detected: " + text, "take one of these dependencies out");
  }
}

}  // namespace manifests
