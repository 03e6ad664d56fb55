#include <boost/asio/co_spawn.hpp>

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

/// The networks of a stack of which nothing stays: they go while the last containers are taken
/// away.
class Departure {
 public:
  Departure(Project& project, std::shared_ptr<Session> session, std::vector<std::string> networks)
      : project_(project), session_(std::move(session)), networks_(std::move(networks)) {}

  /// When nothing runs any more.
  void begin() {
    if (began_ || !project_.fabric().exists()) return;
    for (const std::string& name : networks_) session_->progress("Network", name, "Removing");
    began_ = going_ = true;
    boost::asio::co_spawn(project_.executor(), project_.fabric().remove(),
                          [this](std::exception_ptr failure) {
                            failure_ = std::move(failure);
                            going_ = false;
                            project_.changed().notify();
                          });
  }

  /// Returns when they are gone, or stay because something still runs: with what went wrong.
  Task<std::exception_ptr> finish() {
    while (going_) co_await project_.changed().wait();
    if (!began_) co_await project_.fabric().stay();
    if (began_ && !failure_)
      for (const std::string& name : networks_)
        session_->progress("Network", name, "Removed", true);
    co_return failure_;
  }

 private:
  Project& project_;
  std::shared_ptr<Session> session_;
  std::vector<std::string> networks_;
  bool began_ = false;
  bool going_ = false;
  std::exception_ptr failure_;
};

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
  const auto containers = chosen(project, stack, down);
  const bool all = down.services.empty() && containers.size() == project.containers().size();
  Departure departure(project, session, networks);
  StopOptions options{
      .grace = grace_of(down.timeout), .remove = true, .remove_volumes = down.volumes};
  if (all) options.when_stopped = [&departure] { departure.begin(); };
  std::exception_ptr failure;
  if (all) project.fabric().leave();
  try {
    co_await stop_containers(project, *session, containers, options);
  } catch (...) {
    failure = std::current_exception();
  }
  const bool empty = project.containers().empty();
  // What this is not about may have gone by itself.
  if (!failure && empty && down.services.empty()) departure.begin();
  const std::exception_ptr stayed = co_await departure.finish();
  if (failure || stayed) std::rethrow_exception(failure ? failure : stayed);
  if (down.services.empty()) {
    if (!empty)
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
