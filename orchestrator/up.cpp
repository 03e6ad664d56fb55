#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "manifests/decode.hpp"
#include "orchestrator/container_volumes.hpp"
#include "orchestrator/graph.hpp"
#include "orchestrator/operations.hpp"
#include "orchestrator/planning.hpp"
#include "orchestrator/starter.hpp"
#include "orchestrator/stopper.hpp"
#include "runtime/os/error.hpp"

namespace orchestrator {

namespace {

/// A container without health check counts as up when it still runs after this long: many programs
/// that cannot run end within it.
constexpr Duration kSettled = std::chrono::milliseconds(250);

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// Carries out one plan: what goes, what is made, what starts.
class UpRun {
 public:
  UpRun(Project& project, Session& session, const protocol::Up& up, const manifests::Stack& stack)
      : project_(project), session_(session), up_(up), stack_(stack) {}

  Task<> run() {
    // Until records say which images and volumes are used, nobody may take them away.
    auto claim_images = [this] { return project_.images().claim(); };
    std::optional<os::FileLock> claim = co_await blocking(project_.workers(), claim_images);
    const Desired desired = desired_state(stack_, up_, project_.images());
    plan_ = reconcile(desired, actual());
    if (!plan_.orphans.empty() && !up_.ignore_orphans) warn_of_orphans();
    project_.set_desired(stack_);
    co_await make_networks();
    make_named_volumes();
    co_await take_away();
    for (const ContainerStep& step : plan_.containers)
      if (step.action == ContainerAction::create || step.action == ContainerAction::recreate)
        co_await make_container(step, desired.services.at(step.service));
    claim.reset();
    session_.send({{"event", "created"}});
    if (up_.no_start) {
      co_await project_.fabric().settle();
      co_return;
    }
    std::set<std::string> services;
    for (const auto& [name, service] : desired.services) services.insert(name);
    Starter starter(project_, session_, stack_, std::move(services));
    co_await starter.run();
    co_await project_.fabric().settle();
    if (!up_.wait) co_return;
    co_await wait_until_ready(desired);
    if (!has_unchecked(desired)) co_return;
    co_await sleep_until(Clock::now() + kSettled);
    co_await wait_until_ready(desired);
  }

 private:
  Actual actual() const {
    Actual found{.containers = project_.existing()};
    if (project_.fabric().exists())
      for (const auto& [key, network] : stack_.networks) found.networks.insert(network.name);
    for (const auto& [key, volume] : stack_.volumes)
      if (project_.volumes().find(volume.name)) found.volumes.insert(volume.name);
    return found;
  }

  void warn_of_orphans() {
    std::string names;
    for (const std::string& orphan : plan_.orphans) names += (names.empty() ? "" : " ") + orphan;
    session_.send(protocol::warning(
        "Found orphan containers ([" + names + "]) for this project. If you removed or renamed " +
        "this service in your compose file, you can run this command with the --remove-orphans " +
        "flag to clean it up."));
  }

  Task<> make_networks() {
    const auto begin = Trace::Clock::now();
    for (const ResourceStep& step : plan_.networks)
      if (step.action == ResourceAction::create)
        session_.progress("Network", step.name, "Creating");
    co_await project_.fabric().ensure(stack_);
    for (const ResourceStep& step : plan_.networks)
      if (step.action == ResourceAction::create)
        session_.progress("Network", step.name, "Created", true);
    project_.trace().span(project_.name(), "networks", begin);
  }

  void make_named_volumes() {
    for (const ResourceStep& step : plan_.volumes) {
      if (step.action != ResourceAction::create) continue;
      session_.progress("Volume", step.name, "Creating");
      const manifests::Volume& volume = stack_.volumes.at(step.key);
      if (!volume.driver.empty() && volume.driver != "local")
        throw os::Error("volume \"" + step.name + "\": plugin \"" + volume.driver +
                        "\" not found: only the driver local is there");
      project_.volumes().create({.name = volume.name,
                                 .project = project_.name(),
                                 .key = step.key,
                                 .labels = volume.labels,
                                 .driver_opts = volume.driver_opts});
      session_.progress("Volume", step.name, "Created", true);
    }
  }

  /// Removes what is too much, and stops and removes what will be made anew; before that, those
  /// that want to be restarted with it are stopped (they start again with everybody).
  Task<> take_away() {
    std::vector<std::shared_ptr<Container>> removed;
    std::vector<std::shared_ptr<Container>> stopped;
    std::set<std::string> recreated;
    for (const ContainerStep& step : plan_.containers) {
      if (step.action == ContainerAction::recreate) recreated.insert(step.service);
      if (step.action == ContainerAction::remove || step.action == ContainerAction::recreate)
        if (auto container = project_.find(step.id)) removed.push_back(std::move(container));
    }
    for (const auto& [name, service] : stack_.services)
      for (const auto& [dependency, how] : service.depends_on)
        if (how.restart && recreated.contains(dependency) && !recreated.contains(name))
          for (auto& container : project_.of_service(name)) stopped.push_back(std::move(container));
    StopOptions options{.grace = grace_of(up_.timeout)};
    if (!stopped.empty()) co_await stop_containers(project_, session_, stopped, options);
    for (const auto& container : removed)
      old_volumes_[container->name()] = container->record().volumes;
    options.remove = true;
    if (!removed.empty()) co_await stop_containers(project_, session_, removed, options);
  }

  Task<> make_container(const ContainerStep& step, const DesiredService& desired) {
    const bool anew = step.action == ContainerAction::recreate;
    session_.progress("Container", step.name,
                      anew ? "Recreate (" + joined(step.reasons) + ")" : "Creating");
    const manifests::Service& service = stack_.services.at(step.service);
    ContainerRecord record = make_record(stack_, service, desired, step.name, step.number);
    std::vector<VolumeUse> inherited;
    if (!up_.renew_anon_volumes) inherited = old_volumes_[step.name];
    co_await make_volumes(project_, record, stack_, service, std::move(inherited));
    project_.add(std::move(record));
    session_.progress("Container", step.name, anew ? "Recreated" : "Created", true);
  }

  bool has_unchecked(const Desired& desired) const {
    for (const auto& [name, wanted] : desired.services)
      for (const auto& container : project_.of_service(name))
        if (container->active() && !container->has_health_check()) return true;
    return false;
  }

  /// Services that another one needs to have completed: having ended well is being ready.
  std::set<std::string> one_shots() const {
    std::set<std::string> names;
    for (const auto& [name, service] : stack_.services)
      for (const auto& [dependency, how] : service.depends_on)
        if (how.condition == manifests::Condition::service_completed_successfully)
          names.insert(dependency);
    return names;
  }

  Task<> wait_until_ready(const Desired& desired) {
    const std::set<std::string> completing = one_shots();
    const auto deadline = Clock::now() + std::chrono::seconds(up_.wait_timeout);
    boost::asio::steady_timer timer(project_.executor());
    if (up_.wait_timeout >= 0) {
      timer.expires_at(deadline);
      timer.async_wait([&changed = project_.changed()](const boost::system::error_code& cancelled) {
        if (!cancelled) changed.notify();
      });
    }
    for (const auto& [name, wanted] : desired.services) {
      for (const auto& container : project_.of_service(name)) {
        bool told = false;
        while (!is_ready(*container, project_.paths(), completing.contains(name))) {
          if (session_.gone()) throw Cancelled();
          if (up_.wait_timeout >= 0 && Clock::now() >= deadline)
            throw Failure::of(*container, project_.paths(),
                              "application not healthy after " + std::to_string(up_.wait_timeout) +
                                  "s: container " + container->name() + " is not ready");
          if (!told) session_.progress("Container", container->name(), "Waiting");
          told = true;
          co_await project_.changed().wait();
        }
        session_.progress("Container", container->name(),
                          completing.contains(name)       ? "Exited"
                          : container->has_health_check() ? "Healthy"
                                                          : "Running",
                          true);
      }
    }
  }

  Project& project_;
  Session& session_;
  const protocol::Up& up_;
  const manifests::Stack& stack_;
  Plan plan_;
  std::map<std::string, std::vector<VolumeUse>> old_volumes_;  ///< by container name
};

}  // namespace

Task<int> run_up(Project& project, std::shared_ptr<Session> session, protocol::Up up) {
  manifests::Stack stack = manifests::from_json(up.stack);
  stack.working_directory = up.working_directory;
  stack.config_files = up.config_files;
  if (!up.trace.empty()) project.trace().start();
  UpRun run(project, *session, up, stack);
  std::exception_ptr failure;
  try {
    co_await run.run();
  } catch (...) {
    failure = std::current_exception();
  }
  if (!up.trace.empty()) project.trace().finish(up.trace);
  if (failure) std::rethrow_exception(failure);
  co_return 0;
}

}  // namespace orchestrator
