// Starts services in the order of their dependencies, each the moment its conditions hold (Compose
// C7).
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/failure.hpp"
#include "orchestrator/project.hpp"
#include "orchestrator/session.hpp"

namespace orchestrator {

class Starter {
 public:
  enum class Conditions { all, started_only };

  /// Starts the containers of `services`, which are of `stack`. A dependency that is not among them
  /// is not waited for.
  Starter(Project& project, Session& session, const manifests::Stack& stack,
          std::set<std::string> services, Conditions conditions = Conditions::all);

  /// Returns when every service was tried. Throws the Failure of the first that failed on its own,
  /// or Cancelled.
  Task<> run();

 private:
  enum class Phase { waiting, started, failed };
  struct Progress {
    Phase phase = Phase::waiting;
    std::shared_ptr<Failure> failure;
  };

  Task<> start_service(std::string name);
  Task<> start_containers(const std::string& name);
  Task<> start_one(std::shared_ptr<Container> container, int* left,
                   std::shared_ptr<Failure>* failure);
  Task<> wait_for(const std::string& dependent, const std::string& name,
                  manifests::Dependency dependency);
  Task<> wait_until_healthy(const std::string& name);
  Task<> wait_until_completed(const std::string& name);
  Task<> pause();

  Project& project_;
  Session& session_;
  const manifests::Stack& stack_;
  std::set<std::string> services_;
  Conditions conditions_;
  std::map<std::string, Progress> progress_;
  std::size_t left_ = 0;
  bool cancelled_ = false;
};

/// Whether `container` is up, or why it is not, for `--wait`: returns true when it runs (and is
/// healthy where it is checked), false while that may still come. `may_complete`: having ended with
/// 0 is as good. Throws Failure.
bool is_ready(const Container& container, const Paths& paths, bool may_complete);

}  // namespace orchestrator
