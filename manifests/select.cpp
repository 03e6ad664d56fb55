#include "manifests/select.hpp"

#include <algorithm>
#include <set>

namespace manifests {

namespace {

bool is_active(const Service& service, const std::vector<std::string>& profiles) {
  if (service.profiles.empty()) return true;
  return std::any_of(profiles.begin(), profiles.end(), [&](const std::string& profile) {
    return profile == "*" || std::find(service.profiles.begin(), service.profiles.end(), profile) !=
                                 service.profiles.end();
  });
}

void refuse_unknown(const std::string& name, Diagnostics& diagnostics) {
  diagnostics.error({}, "no such service: " + name);
}

/// Adds `name` and, when asked, all it depends on. What an optional dependency names may be absent.
void collect(const Stack& stack, const std::string& name, bool required, bool dependencies,
             std::set<std::string>& kept, Diagnostics& diagnostics) {
  const auto found = stack.services.find(name);
  if (found == stack.services.end()) {
    if (required) refuse_unknown(name, diagnostics);
    return;
  }
  if (!kept.insert(name).second || !dependencies) return;
  for (const auto& [below, dependency] : found->second.depends_on) {
    collect(stack, below, dependency.required, dependencies, kept, diagnostics);
  }
}

template <class Map>
void keep(Map& resources, const std::set<std::string>& used) {
  std::erase_if(resources, [&](const auto& entry) { return !used.contains(entry.first); });
}

}  // namespace

void apply_profiles(Stack& stack, const std::vector<std::string>& profiles) {
  stack.services.merge(stack.disabled_services);
  for (auto at = stack.services.begin(); at != stack.services.end();) {
    const auto next = std::next(at);
    if (!is_active(at->second, profiles)) {
      stack.disabled_services.insert(stack.services.extract(at));
    }
    at = next;
  }
}

void enable_named(Stack& stack, const std::vector<std::string>& profiles,
                  const std::vector<std::string>& names, Diagnostics& diagnostics) {
  std::vector<std::string> wanted = profiles;
  for (const std::string& name : names) {
    if (stack.services.contains(name)) continue;
    const auto disabled = stack.disabled_services.find(name);
    if (disabled == stack.disabled_services.end()) {
      refuse_unknown(name, diagnostics);
      continue;
    }
    wanted.insert(wanted.end(), disabled->second.profiles.begin(), disabled->second.profiles.end());
  }
  if (wanted.size() != profiles.size()) apply_profiles(stack, wanted);
}

void select_services(Stack& stack, const std::vector<std::string>& names, bool dependencies,
                     Diagnostics& diagnostics) {
  if (names.empty()) return;
  std::set<std::string> kept;
  for (const std::string& name : names) {
    collect(stack, name, true, dependencies, kept, diagnostics);
  }
  for (auto at = stack.services.begin(); at != stack.services.end();) {
    const auto next = std::next(at);
    if (!kept.contains(at->first)) stack.disabled_services.insert(stack.services.extract(at));
    at = next;
  }
  for (auto& [name, service] : stack.services) keep(service.depends_on, kept);
}

void prune_unused_resources(Stack& stack) {
  std::set<std::string> networks;
  std::set<std::string> volumes;
  std::set<std::string> secrets;
  std::set<std::string> configs;
  std::set<std::string> models;
  for (const auto& [name, service] : stack.services) {
    for (const auto& [network, attachment] : service.networks) networks.insert(network);
    for (const Mount& mount : service.volumes) {
      if (mount.type == MountType::volume) volumes.insert(mount.source);
    }
    for (const FileMount& secret : service.secrets) secrets.insert(secret.source);
    for (const FileMount& config : service.configs) configs.insert(config.source);
    for (const auto& [model, use] : service.models) models.insert(model);
    if (!service.build) continue;
    for (const FileMount& secret : service.build->secrets) secrets.insert(secret.source);
  }
  keep(stack.networks, networks);
  keep(stack.volumes, volumes);
  keep(stack.secrets, secrets);
  keep(stack.configs, configs);
  keep(stack.models, models);
}

}  // namespace manifests
