#include "manifests/stack.hpp"

#include <algorithm>
#include <charconv>

#include "manifests/port_spec.hpp"
#include "manifests/values.hpp"

namespace manifests {

namespace {

std::string path_in_container(const FileMount& mount, std::string_view directory) {
  if (mount.target.starts_with('/')) return mount.target;
  return std::string(directory) + (mount.target.empty() ? mount.source : mount.target);
}

/// `on-failure:5` as word and count.
std::pair<std::string_view, std::uint64_t> split_restart(std::string_view text) {
  const auto colon = text.find(':');
  std::uint64_t count = 0;
  if (colon != std::string_view::npos) {
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), count);
  }
  return {text.substr(0, colon), count};
}

}  // namespace

std::pair<std::uint16_t, std::uint16_t> Port::published_range() const {
  return parse_port_range(published).value_or(std::pair<std::uint16_t, std::uint16_t>(0, 0));
}

std::string config_path(const FileMount& mount) { return path_in_container(mount, "/"); }

std::string secret_path(const FileMount& mount) {
  return path_in_container(mount, "/run/secrets/");
}

NamespaceTarget namespace_target(std::string_view mode) {
  static constexpr std::string_view kService = "service:";
  static constexpr std::string_view kContainer = "container:";
  if (mode.starts_with(kService)) return {std::string(mode.substr(kService.size())), {}};
  if (mode.starts_with(kContainer)) return {{}, std::string(mode.substr(kContainer.size()))};
  return {};
}

std::int64_t Service::replicas() const {
  if (scale) return *scale;
  if (deploy && deploy->replicas && deploy->mode != "global") return *deploy->replicas;
  return 1;
}

RestartPolicy Service::restart_policy() const {
  using When = RestartPolicy::When;
  std::string_view word;
  std::uint64_t count = 0;
  if (deploy && deploy->restart_policy) {
    word = deploy->restart_policy->condition;
    count = deploy->restart_policy->max_attempts.value_or(0);
    if (word.empty()) word = "any";
  } else {
    std::tie(word, count) = split_restart(restart);
  }
  if (word == "on-failure") return {When::on_failure, count};
  if (word == "always" || word == "any") return {When::always, count};
  if (word == "unless-stopped") return {When::unless_stopped, count};
  return {};
}

Limits Service::limits() const {
  Limits result{cpus, mem_limit, mem_reservation, pids_limit};
  if (!deploy) return result;
  if (const auto& limits = deploy->resources.limits) {
    if (limits->cpus != 0) result.cpus = limits->cpus;
    if (limits->memory) result.memory = limits->memory;
    if (limits->pids != 0) result.pids = limits->pids;
  }
  const auto& reserved = deploy->resources.reservations;
  if (reserved && reserved->memory) result.memory_reservation = reserved->memory;
  return result;
}

PullPolicy Service::pull() const {
  using When = PullPolicy::When;
  static constexpr std::string_view kEvery = "every_";
  if (pull_policy == "always") return {When::always, {}};
  if (pull_policy == "never") return {When::never, {}};
  if (pull_policy == "build") return {When::build, {}};
  if (pull_policy == "refresh") return {When::refresh, {}};
  if (pull_policy == "daily") return {When::refresh, std::chrono::hours(24)};
  if (pull_policy == "weekly") return {When::refresh, std::chrono::hours(7 * 24)};
  if (pull_policy.starts_with(kEvery)) {
    const auto parsed = parse_duration(std::string_view(pull_policy).substr(kEvery.size()));
    if (const auto* age = std::get_if<Duration>(&parsed)) return {When::refresh, *age};
  }
  return {};
}

std::vector<std::string> Service::networks_by_priority() const {
  std::vector<std::string> names;
  for (const auto& [network, attachment] : networks) names.push_back(network);
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return networks.at(a).priority > networks.at(b).priority;
  });
  return names;
}

const Position* Stack::position(std::string_view path) const {
  while (true) {
    if (const auto found = positions.find(path); found != positions.end()) return &found->second;
    const auto end = path.find_last_of(".[");
    if (end == std::string_view::npos) return nullptr;
    path = path.substr(0, end);
  }
}

}  // namespace manifests
