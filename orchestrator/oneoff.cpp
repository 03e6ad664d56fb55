#include "manifests/decode.hpp"
#include "manifests/print.hpp"
#include "orchestrator/container_volumes.hpp"
#include "orchestrator/graph.hpp"
#include "orchestrator/operations.hpp"
#include "orchestrator/planning.hpp"
#include "runtime/os/error.hpp"

namespace orchestrator {

namespace {

/// The long forms of `-v` and `-p` are read as the model's own: through a stack that holds just
/// them.
manifests::Service decode_additions(const protocol::Run& run) {
  const Json service = {{"image", "none"}, {"volumes", run.volumes}, {"ports", run.ports}};
  const Json stack = {{"name", "run"}, {"services", {{"run", service}}}};
  return manifests::from_json(stack).services.at("run");
}

void replace_target(std::vector<manifests::Mount>& mounts, manifests::Mount mount) {
  std::erase_if(mounts, [&](const auto& each) { return each.target == mount.target; });
  mounts.push_back(std::move(mount));
}

/// The service as this one run wants it.
manifests::Service adapt(manifests::Service service, const protocol::Run& run) {
  const manifests::Service additions = decode_additions(run);
  if (!run.command.empty()) service.command = run.command;
  if (run.has_entrypoint) {
    service.entrypoint = run.entrypoint;
    service.command = run.command;
  }
  for (const auto& [name, value] : run.environment) service.environment[name] = value;
  for (const auto& [name, value] : run.labels) service.labels[name] = value;
  service.cap_add.insert(service.cap_add.end(), run.cap_add.begin(), run.cap_add.end());
  service.cap_drop.insert(service.cap_drop.end(), run.cap_drop.begin(), run.cap_drop.end());
  if (!run.user.empty()) service.user = run.user;
  if (!run.working_dir.empty()) service.working_dir = run.working_dir;
  if (!run.service_ports) service.ports.clear();
  service.ports.insert(service.ports.end(), additions.ports.begin(), additions.ports.end());
  for (const manifests::Mount& mount : additions.volumes) replace_target(service.volumes, mount);
  service.container_name.clear();
  service.restart.clear();
  if (service.deploy) service.deploy->restart_policy.reset();
  service.tty = run.tty;
  service.stdin_open = run.interactive;
  return service;
}

Task<> start_dependencies(Project& project, std::shared_ptr<Session> session,
                          const protocol::Run& run, const manifests::Stack& stack) {
  protocol::Up up{.stack = run.stack,
                  .working_directory = run.working_directory,
                  .config_files = run.config_files,
                  .ignore_orphans = true};
  for (const auto& [name, how] : stack.services.at(run.service).depends_on)
    if (stack.services.contains(name)) up.services.push_back(name);
  if (up.services.empty() || run.no_deps) {
    project.set_desired(stack);
    co_await project.fabric().ensure(stack);
    co_return;
  }
  co_await run_up(project, session, std::move(up));
}

}  // namespace

Task<std::shared_ptr<Container>> start_oneoff(Project& project, std::shared_ptr<Session> session,
                                              protocol::Run run) {
  manifests::Stack stack = manifests::from_json(run.stack);
  stack.working_directory = run.working_directory;
  stack.config_files = run.config_files;
  const auto declared = stack.services.find(run.service);
  if (declared == stack.services.end()) throw os::Error("no such service: " + run.service);
  protocol::Up lookup{.services = {run.service}, .no_deps = true};
  desired_state(stack, lookup, project.images());  // a missing image is told before all else
  co_await start_dependencies(project, session, run, stack);

  const manifests::Service service = adapt(declared->second, run);
  const std::string name = run.name.empty() ? stack.name + "-" + run.service + "-run-" +
                                                  make_container_id().substr(0, 12)
                                            : run.name;
  if (project.find_by_name(name))
    throw os::Error("a container named '" + name + "' exists already");
  // Until the record says which image and volumes are used, nobody may take them away.
  auto claim_images = [&project] { return project.images().claim(); };
  std::optional<os::FileLock> claim = co_await blocking(project.workers(), claim_images);
  const Desired desired = desired_state(stack, lookup, project.images());
  ContainerRecord record = make_record(stack, service, desired.services.at(run.service), name, 0);
  record.oneoff = true;
  record.remove_on_exit = run.remove;
  record.labels["com.docker.compose.oneoff"] = "True";
  if (run.use_aliases) record.labels["stack.use-aliases"] = "true";
  std::vector<VolumeUse> inherited;
  co_await make_volumes(project, record, stack, service, std::move(inherited));
  auto container = project.add(std::move(record));
  claim.reset();
  container->keep(true);
  const std::string id = container->record().id;
  std::exception_ptr failure;
  try {
    co_await container->start();
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    if (project.find(id) != nullptr) co_await container->remove(true);
    std::rethrow_exception(failure);
  }
  session->send({{"event", "started"}, {"id", id}, {"short_id", id.substr(0, 12)}, {"name", name}});
  co_return container;
}

Task<int> await_oneoff(Project& project, std::shared_ptr<Session> session,
                       std::shared_ptr<Container> container) {
  while (container->active() && !session->gone()) co_await project.changed().wait();
  int code = 0;
  if (!session->gone()) {
    if (container->record().outcome) code = container->record().outcome->exit_code;
    session->send({{"event", "exited"}, {"name", container->name()}, {"exit_code", code}});
    // The client reads the rest of the log before it hangs up.
    while (!session->gone()) co_await project.changed().wait();
  }
  container->keep(false);
  if (container->record().remove_on_exit && !container->active()) co_await container->remove(true);
  co_return code;
}

}  // namespace orchestrator
