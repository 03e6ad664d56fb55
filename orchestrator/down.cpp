#include "manifests/decode.hpp"
#include "orchestrator/operations.hpp"
#include "orchestrator/planning.hpp"
#include "orchestrator/stopper.hpp"
#include "runtime/os/error.hpp"

namespace orchestrator {

namespace {

/// The containers that a `down` is about.
std::vector<std::shared_ptr<Container>> chosen(const Project& project,
                                               const std::optional<manifests::Stack>& stack,
                                               const protocol::Down& down) {
  std::vector<std::shared_ptr<Container>> containers;
  for (auto& container : project.containers()) {
    const ContainerRecord& record = container->record();
    const bool named = down.services.empty() ||
                       std::find(down.services.begin(), down.services.end(), record.service) !=
                           down.services.end();
    if (!named) continue;
    const bool declared = !stack || stack->services.contains(record.service);
    const bool disabled = stack && stack->disabled_services.contains(record.service);
    if (declared && !record.oneoff)
      containers.push_back(std::move(container));
    else if (!disabled && (down.remove_orphans || (!stack && !record.oneoff)))
      containers.push_back(std::move(container));
  }
  return containers;
}

void remove_volumes(Project& project, Session& session,
                    const std::optional<manifests::Stack>& stack) {
  std::set<std::string> names;
  if (stack) {
    for (const auto& [key, volume] : stack->volumes)
      if (!volume.external) names.insert(volume.name);
  } else {
    for (const VolumeRecord& volume : project.volumes().list())
      if (volume.project == project.name() && !volume.anonymous) names.insert(volume.name);
  }
  for (const auto& container : project.containers())
    for (const VolumeUse& use : container->record().volumes)
      if (names.erase(use.name) > 0)
        session.progress("Volume", use.name, "Resource is still in use", true);
  for (const std::string& name : names) {
    if (!project.volumes().find(name)) continue;
    session.progress("Volume", name, "Removing");
    project.volumes().remove(name);
    session.progress("Volume", name, "Removed", true);
  }
}

Task<> remove_networks(Project& project, std::shared_ptr<Session> session,
                       std::vector<std::string> names) {
  if (!project.fabric().exists()) co_return;
  for (const std::string& name : names) session->progress("Network", name, "Removing");
  co_await project.fabric().remove();
  for (const std::string& name : names) session->progress("Network", name, "Removed", true);
}

void remove_images(Project& project, Session& session, const manifests::Stack& stack,
                   const std::string& which) {
  std::set<std::string> references;
  for (const auto& [name, service] : stack.services) {
    if (service.build && service.image.empty()) references.insert(stack.name + "-" + name);
    if (!service.image.empty() && (which == "all" || service.build))
      references.insert(service.image);
  }
  const os::FileLock alone = project.images().claims_excluded();
  const std::set<image::Digest> in_use = images_in_use(project.paths(), project.images());
  for (const std::string& reference : references) {
    const auto found = project.images().find(reference);
    if (!found) continue;
    if (in_use.contains(found->id)) {
      session.progress("Image", reference, "Resource is still in use", true);
      continue;
    }
    project.images().remove(reference, false, in_use);
    session.progress("Image", reference, "Removed", true);
  }
}

}  // namespace

Task<int> run_down(Project& project, std::shared_ptr<Session> session, protocol::Down down) {
  std::optional<manifests::Stack> stack;
  if (!down.stack.is_null()) stack = manifests::from_json(down.stack);
  std::vector<std::string> networks;
  const auto& known = stack ? stack : project.desired();
  if (known)
    for (const auto& [key, network] : known->networks)
      if (!network.external) networks.push_back(network.name);
  if (project.containers().empty() && !project.fabric().exists() && !down.volumes)
    session->send(
        protocol::warning("No resource found to remove for project \"" + project.name() + "\"."));
  StopOptions options{
      .grace = grace_of(down.timeout), .remove = true, .remove_volumes = down.volumes};
  co_await stop_containers(project, *session, chosen(project, stack, down), options);
  const bool empty = project.containers().empty();
  if (down.services.empty()) {
    if (empty)
      co_await remove_networks(project, session, networks);
    else
      for (const std::string& name : networks)
        session->progress("Network", name, "Resource is still in use", true);
    if (down.volumes) remove_volumes(project, *session, stack);
    if (stack && !down.remove_images.empty())
      remove_images(project, *session, *stack, down.remove_images);
  }
  if (empty && down.services.empty()) project.erase();
  co_return 0;
}

}  // namespace orchestrator
