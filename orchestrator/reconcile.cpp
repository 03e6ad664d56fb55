#include "orchestrator/reconcile.hpp"

#include <algorithm>

#include "orchestrator/graph.hpp"
#include "runtime/os/error.hpp"

namespace orchestrator {

std::string container_name(const std::string& project, const manifests::Service& service,
                           int number) {
  if (!service.container_name.empty()) return service.container_name;
  return project + "-" + service.name + "-" + std::to_string(number);
}

bool Plan::nothing_to_do() const {
  const auto kept = [](const auto& step) { return step.action == decltype(step.action)::keep; };
  return std::all_of(networks.begin(), networks.end(), kept) &&
         std::all_of(volumes.begin(), volumes.end(), kept) &&
         std::all_of(containers.begin(), containers.end(), kept);
}

namespace {

bool is_up(const std::string& state) {
  return state == "running" || state == "restarting" || state == "paused";
}

/// The top-level keys in which two fingerprints differ.
std::vector<std::string> changed_keys(const Json& before, const Json& after) {
  std::set<std::string> keys;
  for (const auto& [key, value] : before.items())
    if (!after.contains(key) || after[key] != value) keys.insert(key);
  for (const auto& [key, value] : after.items())
    if (!before.contains(key)) keys.insert(key);
  return {keys.begin(), keys.end()};
}

/// The services whose namespaces or volumes `service` shares: recreated with them.
std::vector<std::string> namespace_parents(const manifests::Service& service) {
  std::vector<std::string> parents;
  for (const std::string* mode : {&service.network_mode, &service.ipc, &service.pid}) {
    auto target = manifests::namespace_target(*mode);
    if (!target.service.empty()) parents.push_back(std::move(target.service));
  }
  for (const std::string& from : service.volumes_from)
    if (!from.starts_with("container:")) parents.push_back(from.substr(0, from.find(':')));
  return parents;
}

/// Decides for one service after another, in dependency order.
class Reconciler {
 public:
  Reconciler(const Desired& desired, const Actual& actual) : desired_(desired), actual_(actual) {}

  Plan run() {
    plan_resources();
    const Graph graph = Graph::of(desired_.stack->services);
    for (const std::string& name : graph.order())
      if (desired_.services.contains(name)) plan_service(desired_.stack->services.at(name));
    plan_orphans();
    std::stable_partition(
        plan_.containers.begin(), plan_.containers.end(),
        [](const ContainerStep& step) { return step.action == ContainerAction::remove; });
    return std::move(plan_);
  }

 private:
  void plan_resources() {
    for (const auto& [key, network] : desired_.stack->networks) {
      if (network.external) continue;
      plan_.networks.push_back(
          {actual_.networks.contains(network.name) ? ResourceAction::keep : ResourceAction::create,
           key, network.name});
    }
    for (const auto& [key, volume] : desired_.stack->volumes) {
      if (volume.external) continue;
      plan_.volumes.push_back(
          {actual_.volumes.contains(volume.name) ? ResourceAction::keep : ResourceAction::create,
           key, volume.name});
    }
  }

  int replicas_of(const manifests::Service& service) const {
    const auto scaled = desired_.scale.find(service.name);
    const int wanted =
        scaled != desired_.scale.end() ? scaled->second : static_cast<int>(service.replicas());
    if (wanted < 0)
      throw os::Error("service \"" + service.name +
                      "\": the scale must be greater than or equal to 0");
    if (wanted > 1 && !service.container_name.empty())
      throw os::Error("service \"" + service.name + "\" cannot run " + std::to_string(wanted) +
                      " containers: its container_name must be unique");
    return wanted;
  }

  /// Why `existing` cannot stay as it is; empty when it can.
  std::vector<std::string> reasons_to_recreate(const manifests::Service& service,
                                               const ExistingContainer& existing) const {
    if (desired_.no_recreate) return {};
    const bool target = desired_.targets.empty() || desired_.targets.contains(service.name);
    if (target && desired_.force_recreate) return {"forced"};
    if (!target && desired_.always_recreate_deps) return {"forced"};
    const DesiredService& wanted = desired_.services.at(service.name);
    std::vector<std::string> reasons;
    if (existing.record.config_hash != wanted.config_hash) {
      reasons = changed_keys(existing.record.fingerprint, wanted.fingerprint);
      if (reasons.empty()) reasons.push_back("configuration");
    }
    if (existing.record.image_id != wanted.image_id) reasons.push_back("image is a newer one");
    for (const std::string& parent : namespace_parents(service))
      if (recreated_.contains(parent)) reasons.push_back("service " + parent + " is recreated");
    return reasons;
  }

  void plan_service(const manifests::Service& service) {
    struct Candidate {
      const ExistingContainer* existing;
      std::vector<std::string> reasons;
    };
    std::vector<Candidate> candidates;
    for (const ExistingContainer& existing : actual_.containers)
      if (!existing.record.oneoff && existing.record.service == service.name)
        candidates.push_back({&existing, reasons_to_recreate(service, existing)});
    // Those that stay come first: outdated ones go first when there are too many, then the highest.
    std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
      if (a.reasons.empty() != b.reasons.empty()) return a.reasons.empty();
      return a.existing->record.number < b.existing->record.number;
    });

    const auto wanted = static_cast<std::size_t>(replicas_of(service));
    int highest = 0;
    std::vector<ContainerStep> steps;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const ContainerRecord& record = candidates[i].existing->record;
      highest = std::max(highest, record.number);
      ContainerStep step{.service = service.name,
                         .name = container_name(desired_.stack->name, service, record.number),
                         .number = record.number,
                         .id = record.id,
                         .reasons = candidates[i].reasons};
      if (i >= wanted) {
        step.action = ContainerAction::remove;
        step.name = record.name;
        step.reasons = {"scaled down"};
      } else if (!step.reasons.empty()) {
        step.action = ContainerAction::recreate;
        recreated_.insert(service.name);
      } else {
        step.action =
            is_up(candidates[i].existing->state) ? ContainerAction::keep : ContainerAction::start;
      }
      steps.push_back(std::move(step));
    }
    for (std::size_t i = candidates.size(); i < wanted; ++i) {
      ++highest;
      steps.push_back({.action = ContainerAction::create,
                       .service = service.name,
                       .name = container_name(desired_.stack->name, service, highest),
                       .number = highest});
    }
    std::sort(steps.begin(), steps.end(),
              [](const auto& a, const auto& b) { return a.number < b.number; });
    plan_.containers.insert(plan_.containers.end(), std::make_move_iterator(steps.begin()),
                            std::make_move_iterator(steps.end()));
  }

  void plan_orphans() {
    for (const ExistingContainer& existing : actual_.containers) {
      const ContainerRecord& record = existing.record;
      const bool declared = desired_.stack->services.contains(record.service) ||
                            desired_.stack->disabled_services.contains(record.service);
      if (record.oneoff ? is_up(existing.state) || record.remove_on_exit : declared) continue;
      if (!desired_.remove_orphans) {
        plan_.orphans.push_back(record.name);
        continue;
      }
      plan_.containers.push_back({.action = ContainerAction::remove,
                                  .service = record.service,
                                  .name = record.name,
                                  .number = record.number,
                                  .id = record.id,
                                  .reasons = {"orphan"}});
    }
  }

  const Desired& desired_;
  const Actual& actual_;
  Plan plan_;
  std::set<std::string> recreated_;
};

std::string_view word(ContainerAction action) {
  switch (action) {
    case ContainerAction::keep:
      return "keep";
    case ContainerAction::create:
      return "create";
    case ContainerAction::recreate:
      return "recreate";
    case ContainerAction::start:
      return "start";
    case ContainerAction::remove:
      return "remove";
  }
  return "";
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& each : words) text += (text.empty() ? "" : ", ") + each;
  return text;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

}  // namespace

Plan reconcile(const Desired& desired, const Actual& actual) {
  return Reconciler(desired, actual).run();
}

std::string to_text(const Plan& plan) {
  std::string text;
  const auto resource = [&](const char* kind, const ResourceStep& step) {
    text += padded(step.action == ResourceAction::create ? "create" : "keep", 10) + kind +
            step.name + "\n";
  };
  for (const ResourceStep& step : plan.networks) resource("Network ", step);
  for (const ResourceStep& step : plan.volumes) resource("Volume ", step);
  for (const ContainerStep& step : plan.containers) {
    text += padded(std::string(word(step.action)), 10) + "Container " + step.name;
    if (!step.reasons.empty()) text += "  (" + join(step.reasons) + ")";
    text += "\n";
  }
  for (const std::string& orphan : plan.orphans)
    text += padded("leave", 10) + "Container " + orphan + "  (orphan)\n";
  return text;
}

}  // namespace orchestrator
