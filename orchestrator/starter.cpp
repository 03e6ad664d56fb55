#include "orchestrator/starter.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "runtime/os/error.hpp"

namespace orchestrator {

namespace asio = boost::asio;

Starter::Starter(Project& project, Session& session, const manifests::Stack& stack,
                 std::set<std::string> services, Conditions conditions)
    : project_(project),
      session_(session),
      stack_(stack),
      services_(std::move(services)),
      conditions_(conditions) {
  for (const std::string& name : services_) progress_[name];
}

Task<> Starter::run() {
  left_ = services_.size();
  for (const std::string& name : services_)
    asio::co_spawn(project_.executor(), start_service(name), asio::detached);
  while (left_ > 0) co_await project_.changed().wait();
  if (cancelled_) throw Cancelled();
  const Failure* deepest = nullptr;  // the one that is nobody's consequence tells the most
  for (const auto& [name, progress] : progress_)
    if (progress.failure &&
        (deepest == nullptr || progress.failure->causes.size() > deepest->causes.size()))
      deepest = progress.failure.get();
  if (deepest != nullptr) throw Failure(*deepest);
}

Task<> Starter::pause() {
  if (session_.gone()) throw Cancelled();
  co_await project_.changed().wait();
  if (session_.gone()) throw Cancelled();
}

Task<> Starter::start_service(std::string name) {
  Progress& mine = progress_.at(name);
  try {
    const manifests::Service& service = stack_.services.at(name);
    for (const auto& [dependency, how] : service.depends_on)
      if (services_.contains(dependency)) co_await wait_for(name, dependency, how);
    co_await start_containers(name);
    mine.phase = Phase::started;
  } catch (const Failure& failure) {
    mine.failure = std::make_shared<Failure>(failure);
    mine.phase = Phase::failed;
  } catch (const Cancelled&) {
    cancelled_ = true;
    mine.phase = Phase::failed;
  } catch (const std::exception& error) {
    mine.failure = std::make_shared<Failure>("service " + name + ": " + error.what());
    mine.phase = Phase::failed;
  }
  --left_;
  project_.changed().notify();
}

Task<> Starter::start_containers(const std::string& name) {
  const auto replicas = project_.of_service(name);
  int left = static_cast<int>(replicas.size());
  std::shared_ptr<Failure> failure;
  for (const auto& container : replicas)
    asio::co_spawn(project_.executor(), start_one(container, &left, &failure), asio::detached);
  // Not given up when the client leaves: the starts hold pointers into this frame.
  while (left > 0) co_await project_.changed().wait();
  if (failure) throw *failure;
}

Task<> Starter::start_one(std::shared_ptr<Container> container, int* left,
                          std::shared_ptr<Failure>* failure) {
  while (container->ending()) co_await project_.changed().wait();
  const bool was_active = container->active();
  if (was_active && !container->paused()) {
    session_.progress("Container", container->name(), "Running", true);
  } else {
    session_.progress("Container", container->name(), "Starting");
    std::string problem;
    try {
      co_await container->start();
    } catch (const std::exception& error) {
      problem = error.what();
    }
    if (problem.empty()) {
      session_.progress("Container", container->name(), "Started", true);
    } else {
      session_.progress("Container", container->name(), "Error", true);
      *failure = std::make_shared<Failure>(Failure::of(
          *container, project_.paths(), "container " + container->name() + ": " + problem));
    }
  }
  --*left;
  project_.changed().notify();
}

Task<> Starter::wait_for(const std::string& dependent, const std::string& name,
                         manifests::Dependency dependency) {
  std::shared_ptr<Failure> failed;
  try {
    while (progress_.at(name).phase == Phase::waiting) co_await pause();
    if (progress_.at(name).phase == Phase::failed) {
      if (!progress_.at(name).failure) throw Cancelled();
      throw *progress_.at(name).failure;
    }
    if (conditions_ == Conditions::all) {
      if (dependency.condition == manifests::Condition::service_healthy)
        co_await wait_until_healthy(name);
      else if (dependency.condition == manifests::Condition::service_completed_successfully)
        co_await wait_until_completed(name);
    }
  } catch (const Failure& failure) {
    failed = std::make_shared<Failure>(failure);
  }
  if (!failed) co_return;
  if (dependency.required) throw failed->as_cause_of("service " + dependent + " cannot start");
  session_.send(protocol::warning("optional dependency \"" + name +
                                  "\" failed to start: " + failed->message));
}

Task<> Starter::wait_until_healthy(const std::string& name) {
  const auto replicas = project_.of_service(name);
  for (const auto& container : replicas) {
    if (!container->has_health_check())
      throw Failure("dependency failed to start: container " + container->name() +
                    " has no healthcheck configured");
    bool told = false;
    while (container->health() != Health::healthy) {
      if (container->health() == Health::unhealthy)
        throw Failure::of(
            *container, project_.paths(),
            "dependency failed to start: container " + container->name() + " is unhealthy");
      if (container->state() == ContainerState::exited)
        throw Failure::of(
            *container, project_.paths(),
            container->name() + " exited (" +
                std::to_string(container->record().outcome ? container->record().outcome->exit_code
                                                           : 0) +
                ")");
      if (!told) session_.progress("Container", container->name(), "Waiting");
      told = true;
      co_await pause();
    }
    session_.progress("Container", container->name(), "Healthy", true);
  }
}

Task<> Starter::wait_until_completed(const std::string& name) {
  const auto replicas = project_.of_service(name);
  if (replicas.empty()) co_return;
  const auto& container = replicas.front();
  bool told = false;
  while (container->state() != ContainerState::exited) {
    if (!told) session_.progress("Container", container->name(), "Waiting");
    told = true;
    co_await pause();
  }
  const int code = container->record().outcome ? container->record().outcome->exit_code : 0;
  if (code != 0)
    throw Failure::of(
        *container, project_.paths(),
        "service \"" + name + "\" didn't complete successfully: exit " + std::to_string(code));
  session_.progress("Container", container->name(), "Exited", true);
}

bool is_ready(const Container& container, const Paths& paths, bool may_complete) {
  if (container.state() == ContainerState::exited) {
    const int code = container.record().outcome ? container.record().outcome->exit_code : 0;
    if (may_complete && code == 0) return true;
    throw Failure::of(container, paths,
                      "container " + container.name() + " exited (" + std::to_string(code) + ")");
  }
  if (container.health() == Health::unhealthy)
    throw Failure::of(container, paths, "container " + container.name() + " is unhealthy");
  if (container.state() != ContainerState::running) return false;
  return !may_complete && (!container.has_health_check() || container.health() == Health::healthy);
}

}  // namespace orchestrator
