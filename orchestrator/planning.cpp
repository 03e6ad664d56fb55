#include "orchestrator/planning.hpp"

#include "manifests/print.hpp"
#include "network/network.hpp"
#include "orchestrator/graph.hpp"
#include "orchestrator/volumes.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace orchestrator {

std::set<std::string> services_of(const manifests::Stack& stack,
                                  const std::vector<std::string>& named, bool no_deps) {
  std::set<std::string> services(named.begin(), named.end());
  for (const std::string& name : services)
    if (!stack.services.contains(name)) throw os::Error("no such service: " + name);
  if (services.empty()) {
    for (const auto& [name, service] : stack.services) services.insert(name);
    return services;
  }
  if (no_deps) return services;
  return Graph::of(stack.services).with_dependencies(services);
}

std::string image_of(const manifests::Stack& stack, const manifests::Service& service) {
  return service.image.empty() ? stack.name + "-" + service.name : service.image;
}

std::string mounted_image(const manifests::Stack& stack, const manifests::Mount& mount) {
  const auto service = stack.services.find(mount.source);
  return service == stack.services.end() ? mount.source : image_of(stack, service->second);
}

std::set<image::Digest> images_in_use(const Paths& paths, const image::Store& images) {
  std::set<image::Digest> used;
  for (const ContainerRecord& record : read_records(paths)) {
    if (const auto id = image::Digest::try_parse(record.image_id)) used.insert(*id);
    const auto services = record.model.value("services", Json::object());
    for (const Json& service : services)
      for (const Json& mount : service.value("volumes", Json::array()))
        if (mount.is_object() && mount.value("type", "") == "image")
          if (const auto found = images.find(mount.value("source", ""))) used.insert(found->id);
  }
  return used;
}

Desired desired_state(const manifests::Stack& stack, const protocol::Up& up,
                      const image::Store& images) {
  Desired desired{.stack = &stack,
                  .targets = {up.services.begin(), up.services.end()},
                  .scale = up.scale,
                  .force_recreate = up.force_recreate,
                  .no_recreate = up.no_recreate,
                  .always_recreate_deps = up.always_recreate_deps,
                  .remove_orphans = up.remove_orphans};
  std::map<std::string, std::string> ids;  // services often share an image
  std::string missing;
  for (const std::string& name : services_of(stack, up.services, up.no_deps)) {
    const manifests::Service& service = stack.services.at(name);
    const std::string reference = image_of(stack, service);
    if (!ids.contains(reference)) {
      const auto found = images.find(reference);
      ids[reference] = found ? found->id.text() : "";
    }
    if (ids[reference].empty())
      missing += (missing.empty() ? "" : ", ") + name + " needs " + reference;
    DesiredService wanted;
    wanted.fingerprint = manifests::service_fingerprint(service);
    wanted.config_hash = image::Digest::of(wanted.fingerprint.dump()).hex();
    wanted.image_id = ids[reference];
    desired.services.emplace(name, std::move(wanted));
  }
  if (!missing.empty()) throw os::Error("no such image: " + missing);
  return desired;
}

namespace {

/// The state of a container as the disk tells it.
std::string state_on_disk(const Paths& paths, const ContainerRecord& record) {
  if (const auto status = read_status(paths, record.short_id())) return status->state;
  return record.outcome ? "exited" : "created";
}

}  // namespace

Plan plan_up(const manifests::Stack& stack, const protocol::Up& up, const Paths& paths) {
  const image::Store images(paths.images());
  const Desired desired = desired_state(stack, up, images);
  Actual actual;
  for (ContainerRecord& record : read_records(paths, stack.name)) {
    std::string state = state_on_disk(paths, record);
    actual.containers.push_back({std::move(record), std::move(state)});
  }
  if (network::Network::exists(paths.run, stack.name))
    for (const auto& [key, network] : stack.networks) actual.networks.insert(network.name);
  for (const VolumeRecord& volume : VolumeStore(paths.volumes()).list())
    actual.volumes.insert(volume.name);
  return reconcile(desired, actual);
}

manifests::Stack slice(const manifests::Stack& stack, const manifests::Service& service) {
  manifests::Stack part;
  part.name = stack.name;
  part.working_directory = stack.working_directory;
  part.config_files = stack.config_files;
  manifests::Service& own = part.services.emplace(service.name, service).first->second;
  for (manifests::Mount& mount : own.volumes)
    if (mount.type == manifests::MountType::image) mount.source = mounted_image(stack, mount);
  const auto take = [](const auto& from, auto& to, const std::string& key) {
    if (const auto found = from.find(key); found != from.end()) to.insert(*found);
  };
  for (const auto& [key, attachment] : service.networks) take(stack.networks, part.networks, key);
  for (const manifests::Mount& mount : service.volumes)
    if (mount.type == manifests::MountType::volume) take(stack.volumes, part.volumes, mount.source);
  for (const manifests::FileMount& use : service.configs)
    take(stack.configs, part.configs, use.source);
  for (const manifests::FileMount& use : service.secrets)
    take(stack.secrets, part.secrets, use.source);
  return part;
}

namespace {

std::string depends_on_label(const manifests::Service& service) {
  std::string text;
  for (const auto& [name, dependency] : service.depends_on) {
    const char* condition = "service_started";
    if (dependency.condition == manifests::Condition::service_healthy)
      condition = "service_healthy";
    if (dependency.condition == manifests::Condition::service_completed_successfully)
      condition = "service_completed_successfully";
    text += (text.empty() ? "" : ",") + name + ":" + condition + ":" +
            (dependency.restart ? "true" : "false");
  }
  return text;
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ",") + item;
  return text;
}

}  // namespace

ContainerRecord make_record(const manifests::Stack& stack, const manifests::Service& service,
                            const DesiredService& desired, const std::string& name, int number) {
  ContainerRecord record{.id = make_container_id(),
                         .name = name,
                         .project = stack.name,
                         .service = service.name,
                         .number = number,
                         .image = image_of(stack, service),
                         .image_id = desired.image_id,
                         .fingerprint = desired.fingerprint,
                         .config_hash = desired.config_hash,
                         .created_at = timestamp_now()};
  record.model = manifests::to_json(slice(stack, service), manifests::Detail::complete);
  record.labels = service.labels;
  const std::string prefix = "com.docker.compose.";
  record.labels[prefix + "project"] = stack.name;
  record.labels[prefix + "service"] = service.name;
  record.labels[prefix + "version"] = STACK_VERSION;
  record.labels[prefix + "oneoff"] = "False";
  record.labels[prefix + "config-hash"] = desired.config_hash;
  record.labels[prefix + "image"] = desired.image_id;
  record.labels[prefix + "depends_on"] = depends_on_label(service);
  record.labels[prefix + "project.working_dir"] = stack.working_directory;
  record.labels[prefix + "project.config_files"] = joined(stack.config_files);
  if (number > 0) record.labels[prefix + "container-number"] = std::to_string(number);
  return record;
}

}  // namespace orchestrator
