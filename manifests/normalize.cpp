#include "manifests/normalize.hpp"

#include <system_error>

#include "manifests/dotenv.hpp"
#include "manifests/environment.hpp"
#include "manifests/paths.hpp"

namespace manifests {

namespace {

using Variables = std::map<std::string, std::string>;

template <class Visit>
void each_service(Stack& stack, Visit visit) {
  for (auto& [name, service] : stack.services) visit(service);
  for (auto& [name, service] : stack.disabled_services) visit(service);
}

void resolve_variables(Environment& variables, const Variables& environment) {
  for (auto& [name, value] : variables) {
    if (value) continue;
    if (const auto found = environment.find(name); found != environment.end()) {
      value = found->second;
    }
  }
}

void complete_build(Build& build, const Variables& environment) {
  if (build.context.empty()) build.context = ".";
  if (build.dockerfile.empty() && build.dockerfile_inline.empty()) build.dockerfile = "Dockerfile";
  resolve_variables(build.args, environment);
  std::erase_if(build.args, [](const auto& argument) { return !argument.second; });
}

/// Dependencies that other attributes imply; one that is written out wins (A4b).
void add_implied_dependencies(Service& service) {
  const auto depend = [&](const std::string& on, bool restart) {
    service.depends_on.try_emplace(on, Dependency{.restart = restart});
  };
  for (const std::string& link : service.links) depend(link.substr(0, link.find(':')), true);
  for (const std::string* mode :
       {&service.network_mode, &service.ipc, &service.pid, &service.uts, &service.cgroup}) {
    const NamespaceTarget target = namespace_target(*mode);
    if (!target.service.empty()) depend(target.service, true);
  }
  for (const std::string& from : service.volumes_from) {
    if (!from.starts_with("container:")) depend(from.substr(0, from.find(':')), false);
  }
}

/// A service that says nothing about networks is on `default`; true when it is on it.
bool join_default_network(Service& service) {
  if (service.provider || !service.network_mode.empty()) return false;
  if (service.networks.empty()) service.networks.emplace("default", NetworkAttachment{});
  return service.networks.contains("default");
}

template <class Map>
void fill_names(Map& resources, const std::string& kind, const Stack& stack) {
  for (auto& [key, resource] : resources) {
    if (!resource.name.empty()) continue;
    resource.unnamed = stack.positions.contains(kind + "." + key + ".name");
    resource.name = resource.external ? key : stack.name + "_" + key;
  }
}

/// Reads one file of variables into `variables`. A file that is not there is no mistake unless it
/// is `required`.
void read_variables(const std::string& path, EnvFormat format, bool required,
                    const std::string& what, const Lookup& lookup, Variables& variables,
                    const Position& at, Diagnostics& diagnostics, VariablePlaces& places) {
  try {
    parse_env_file(read_source(path), format, lookup, variables, diagnostics, &places);
  } catch (const std::system_error& error) {
    const bool missing = error.code() == std::errc::no_such_file_or_directory;
    if (missing && !required) return;
    diagnostics.error(at, missing ? what + " " + path + " not found" : error.what());
  }
}

Position place(const Stack& stack, const std::string& path) {
  const Position* at = stack.position(path);
  return at != nullptr ? *at : Position{};
}

}  // namespace

void normalize(Stack& stack, const Variables& environment) {
  bool default_used = false;
  each_service(stack, [&](Service& service) {
    default_used |= join_default_network(service);
    if (service.pull_policy == "if_not_present") service.pull_policy = "missing";
    if (service.build) complete_build(*service.build, environment);
    resolve_variables(service.environment, environment);
    add_implied_dependencies(service);
    for (Mount& mount : service.volumes) {
      if (!mount.target.empty()) mount.target = clean_path(mount.target);
    }
  });
  if (default_used) stack.networks.try_emplace("default");
  fill_names(stack.networks, "networks", stack);
  fill_names(stack.volumes, "volumes", stack);
  fill_names(stack.secrets, "secrets", stack);
  fill_names(stack.configs, "configs", stack);
}

void resolve_contents(Stack& stack, const Variables& environment) {
  for (auto* objects : {&stack.configs, &stack.secrets}) {
    for (auto& [name, object] : *objects) {
      const auto found = environment.find(object.environment);
      if (!object.environment.empty() && found != environment.end()) object.content = found->second;
    }
  }
}

void resolve_environment(Stack& stack, const Variables& environment, bool discard,
                         Diagnostics& diagnostics) {
  for (auto& [name, service] : stack.services) {
    resolve_variables(service.environment, environment);
    Variables variables;
    for (const auto& [key, value] : service.environment) {
      if (value) variables.emplace(key, *value);
    }
    VariablePlaces places;
    const Lookup lookup = [&, own = variables](const std::string& key) {
      const auto found = environment.find(key);
      if (found != environment.end()) return std::optional(found->second);
      const auto declared = own.find(key);
      return declared != own.end() ? std::optional(declared->second) : std::nullopt;
    };
    for (std::size_t i = 0; i < service.env_file.size(); ++i) {
      const EnvFile& file = service.env_file[i];
      const Position at = place(stack, "services." + name + ".env_file[" + std::to_string(i) + "]");
      if (!file.format.empty() && file.format != "raw") {
        diagnostics.error(at, "unsupported env_file format \"" + file.format + "\"").hint =
            "leave `format` out, or write `format: raw`";
        continue;
      }
      const EnvFormat format = file.format == "raw" ? EnvFormat::raw : EnvFormat::dotenv;
      read_variables(file.path, format, file.required, "env file", lookup, variables, at,
                     diagnostics, places);
    }
    for (auto& [key, value] : variables)
      if (service.environment.try_emplace(key, value).second && places.contains(key))
        stack.positions["services." + name + ".environment." + key] = places.at(key);
    if (discard) service.env_file.clear();
  }
}

void resolve_labels(Stack& stack, bool discard, Diagnostics& diagnostics) {
  for (auto& [name, service] : stack.services) {
    Variables labels;
    VariablePlaces places;
    const Lookup lookup = [&](const std::string& key) {
      const auto found = labels.find(key);
      return found != labels.end() ? std::optional(found->second) : std::nullopt;
    };
    for (std::size_t i = 0; i < service.label_file.size(); ++i) {
      const Position at =
          place(stack, "services." + name + ".label_file[" + std::to_string(i) + "]");
      Variables read;
      read_variables(service.label_file[i], EnvFormat::dotenv, true, "label file", lookup, read, at,
                     diagnostics, places);
      for (auto& [key, value] : read) labels.insert_or_assign(key, std::move(value));
    }
    for (auto& [key, value] : labels)
      if (service.labels.try_emplace(key, value).second && places.contains(key))
        stack.positions["services." + name + ".labels." + key] = places.at(key);
    if (discard) service.label_file.clear();
  }
}

}  // namespace manifests
