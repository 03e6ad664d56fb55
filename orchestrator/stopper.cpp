#include "orchestrator/stopper.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <set>

#include "runtime/os/error.hpp"

namespace orchestrator {

namespace asio = boost::asio;

std::optional<Duration> grace_of(int timeout) {
  if (timeout < 0) return std::nullopt;
  return std::chrono::seconds(timeout);
}

namespace {

class Stopper {
 public:
  Stopper(Project& project, Session& session, std::vector<std::shared_ptr<Container>> containers,
          StopOptions options)
      : project_(project),
        session_(session),
        containers_(std::move(containers)),
        options_(options) {
    for (const auto& container : containers_) ++open_[container->record().service];
  }

  Task<> run() {
    left_ = active_ = containers_.size();
    if (active_ == 0 && options_.when_stopped) options_.when_stopped();
    for (const auto& container : containers_)
      asio::co_spawn(project_.executor(), stop(container), asio::detached);
    while (left_ > 0) co_await project_.changed().wait();
    if (!failures_.empty()) throw os::Error(failures_);
  }

 private:
  /// Services that still have containers here and depend on `service`.
  bool has_dependents(const std::string& service) const {
    for (const auto& container : containers_) {
      const std::string& other = container->record().service;
      if (other != service && open_.at(other) > 0 && !container->record().oneoff &&
          container->service().depends_on.contains(service))
        return true;
    }
    return false;
  }

  Task<> stop(std::shared_ptr<Container> container) {
    const std::string& service = container->record().service;
    while (has_dependents(service)) co_await project_.changed().wait();
    std::string failure;
    try {
      co_await stop_one(*container);
    } catch (const std::exception& error) {
      failure = "container " + container->name() + ": " + error.what();
      session_.progress("Container", container->name(), "Error", true);
    }
    if (!failure.empty()) failures_ += (failures_.empty() ? "" : "\n") + failure;
    --open_[service];
    --left_;
    project_.changed().notify();
  }

  /// Says at once why nothing will happen until the grace is over.
  void warn_of_wait(const Container& container) {
    const auto grace = options_.grace.value_or(container.service().grace_period());
    const auto signal = container.unheeded_stop_signal();
    if (!signal || grace <= Duration::zero()) return;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(grace).count();
    session_.send(protocol::warning("container " + container.name() + ": its process 1 ignores " +
                                    *signal + " and will be killed in " + std::to_string(seconds) +
                                    "s; have it handle the signal, or set \"init: true\""));
  }

  Task<> stop_one(Container& container) {
    const std::string name = container.name();
    const bool removes_itself = container.record().remove_on_exit;
    if (container.active()) {
      session_.progress("Container", name, "Stopping");
      warn_of_wait(container);
      co_await container.stop(options_.grace);
      session_.progress("Container", name, "Stopped", !options_.remove);
    } else if (!options_.remove) {
      co_await container.stop(options_.grace);
    }
    if (--active_ == 0 && options_.when_stopped) options_.when_stopped();
    if (!options_.remove || (removes_itself && project_.find(container.record().id) == nullptr))
      co_return;
    session_.progress("Container", name, "Removing");
    co_await container.remove(options_.remove_volumes);
    session_.progress("Container", name, "Removed", true);
  }

  Project& project_;
  Session& session_;
  std::vector<std::shared_ptr<Container>> containers_;
  StopOptions options_;
  std::map<std::string, int> open_;  ///< service → containers that are not done
  std::size_t left_ = 0;
  std::size_t active_ = 0;  ///< that have not stopped
  std::string failures_;
};

}  // namespace

Task<> stop_containers(Project& project, Session& session,
                       std::vector<std::shared_ptr<Container>> containers, StopOptions options) {
  Stopper stopper(project, session, std::move(containers), options);
  co_await stopper.run();
}

}  // namespace orchestrator
