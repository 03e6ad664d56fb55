#include <csignal>

#include "manifests/decode.hpp"
#include "orchestrator/graph.hpp"
#include "orchestrator/operations.hpp"
#include "orchestrator/planning.hpp"
#include "orchestrator/starter.hpp"
#include "orchestrator/stopper.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/signal.hpp"

namespace orchestrator {

namespace {

using Containers = std::vector<std::shared_ptr<Container>>;

/// A start, stop, … of some of the project's containers.
class LifecycleRun {
 public:
  LifecycleRun(Project& project, Session& session, const protocol::Lifecycle& request)
      : project_(project), session_(session), request_(request) {
    if (!request.stack.is_null())
      stack_ = manifests::from_json(request.stack);
    else if (project.desired())
      stack_ = *project.desired();
    for (const auto& container : project.containers())  // of services that no file declares now
      stack_.services.emplace(container->record().service, container->service());
    containers_ = chosen();
  }

  Task<> start() {
    if (containers_.empty())
      throw os::Error("no container found for project \"" + project_.name() + "\": not found");
    std::set<std::string> services;
    for (const auto& container : containers_) services.insert(container->record().service);
    if (request_.services.size() != services.size())
      for (const std::string& name : Graph::of(stack_.services).with_dependencies(services))
        if (!project_.of_service(name).empty()) services.insert(name);
    Starter starter(project_, session_, stack_, services);
    co_await starter.run();
    if (request_.wait) co_await wait_until_ready();
  }

  Task<> stop() {
    StopOptions options{.grace = grace_of(request_.timeout)};
    co_await stop_containers(project_, session_, containers_, options);
  }

  Task<> restart() {
    std::set<std::string> services;
    for (const auto& container : containers_) services.insert(container->record().service);
    if (!request_.no_deps) add_restarting_dependents(services);
    Containers all;
    for (const std::string& name : services)
      for (auto& container : project_.of_service(name)) all.push_back(std::move(container));
    StopOptions options{.grace = grace_of(request_.timeout)};
    co_await stop_containers(project_, session_, all, options);
    Starter starter(project_, session_, stack_, services, Starter::Conditions::started_only);
    co_await starter.run();
    for (const auto& container : all) project_.journal().note(container->record(), "restart");
  }

  Task<> kill() {
    const std::string& name = request_.signal;
    const auto signal = name.empty() ? SIGKILL : os::signal_number(name);
    if (!signal) throw os::Error("invalid signal: " + name);
    bool any = false;
    for (const auto& container : containers_) {
      if (!container->active()) continue;
      any = true;
      session_.progress("Container", container->name(), "Killing");
      co_await container->kill(*signal);
      session_.progress("Container", container->name(), "Killed", true);
    }
    if (!any) session_.send(protocol::warning("No container to kill"));
  }

  Task<> pause(bool on) {
    for (const auto& container : containers_) {
      if (on && container->status().state != "running") continue;
      session_.progress("Container", container->name(), on ? "Pausing" : "Unpausing");
      if (on)
        co_await container->pause();
      else
        co_await container->unpause();
      session_.progress("Container", container->name(), on ? "Paused" : "Unpaused", true);
    }
  }

  Task<> remove() {
    if (request_.stop) co_await stop();
    Containers stopped;
    for (const auto& container : project_.containers()) {
      if (!is_named(container->record())) continue;
      while (container->ending()) co_await project_.changed().wait();
      if (!container->active()) stopped.push_back(container);
    }
    if (stopped.empty()) session_.send(protocol::warning("No stopped containers"));
    StopOptions options{.remove = true, .remove_volumes = request_.volumes};
    co_await stop_containers(project_, session_, stopped, options);
  }

 private:
  Containers chosen() const {
    for (const std::string& name : request_.services)
      if (!stack_.services.contains(name)) throw os::Error("no such service: " + name);
    Containers found;
    for (auto& container : project_.containers())
      if (is_named(container->record()) && !container->record().oneoff)
        found.push_back(std::move(container));
    return found;
  }

  bool is_named(const ContainerRecord& record) const {
    if (request_.services.empty()) return !stack_.disabled_services.contains(record.service);
    return std::find(request_.services.begin(), request_.services.end(), record.service) !=
           request_.services.end();
  }

  void add_restarting_dependents(std::set<std::string>& services) const {
    for (bool grew = true; grew;) {
      grew = false;
      for (const auto& [name, service] : stack_.services)
        for (const auto& [dependency, how] : service.depends_on)
          if (how.restart && services.contains(dependency) && !project_.of_service(name).empty())
            grew = services.insert(name).second || grew;
    }
  }

  Task<> wait_until_ready() {
    for (const auto& container : containers_)
      while (!is_ready(*container, project_.paths(), false)) {
        if (session_.gone()) throw Cancelled();
        co_await project_.changed().wait();
      }
  }

  Project& project_;
  Session& session_;
  const protocol::Lifecycle& request_;
  manifests::Stack stack_;
  Containers containers_;
};

}  // namespace

Task<int> run_lifecycle(Project& project, std::shared_ptr<Session> session, std::string operation,
                        protocol::Lifecycle lifecycle) {
  LifecycleRun run(project, *session, lifecycle);
  if (operation == "start")
    co_await run.start();
  else if (operation == "stop")
    co_await run.stop();
  else if (operation == "restart")
    co_await run.restart();
  else if (operation == "kill")
    co_await run.kill();
  else if (operation == "pause" || operation == "unpause")
    co_await run.pause(operation == "pause");
  else if (operation == "rm")
    co_await run.remove();
  else
    throw os::Error("unknown operation '" + operation + "'");
  co_return 0;
}

}  // namespace orchestrator
