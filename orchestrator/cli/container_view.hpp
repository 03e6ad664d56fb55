// A container as commands that only look see it: its record, its status, and whether the kernel
// still knows its process. No supervisor is asked.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/cli/time_text.hpp"
#include "orchestrator/paths.hpp"
#include "orchestrator/record.hpp"
#include "runtime/container/state.hpp"

namespace cli {

struct ContainerView {
  orchestrator::ContainerRecord record;
  orchestrator::ContainerStatus status;
  std::string state;  ///< created running paused restarting exited
  int exit_code = 0;
  std::string started_at;   ///< RFC 3339; empty: it has not run
  std::string finished_at;  ///< RFC 3339; empty: it has not ended
  std::optional<container::State> monitor;
  bool settling = false;  ///< its process is gone, and nobody has said yet what comes of it

  bool is_up() const { return state == "running" || state == "paused"; }
  /// Running, or about to run again by itself.
  bool is_active() const { return is_up() || state == "restarting"; }
  /// The kernel killed it, for it needed more memory than its limit.
  bool ran_out_of_memory() const {
    return !is_up() && record.outcome && record.outcome->oom_killed;
  }
};

/// Reads the status of one container.
ContainerView view_of(const orchestrator::Paths& paths, orchestrator::ContainerRecord record);

/// All containers of a project, sorted by name; of every project when it is empty.
std::vector<ContainerView> view_containers(const orchestrator::Paths& paths,
                                           const std::string& project = {});

/// Those of the named services (all when none is), without one-offs.
std::vector<ContainerView> of_services(std::vector<ContainerView> all,
                                       const std::vector<std::string>& services);

/// The one that `exec`, `port` … mean: the running one of the lowest number, or that number.
/// Throws os::Error `service "x" is not running`.
ContainerView choose_replica(const orchestrator::Paths& paths, const std::string& project,
                             const std::string& service, int index);

/// The name without its project, as logs show it: "web-1".
std::string short_name(const orchestrator::ContainerRecord& record);

/// "Up 3 seconds (healthy)", "Exited (143) 5 minutes ago" (Compose C4). Pure.
std::string status_text(const ContainerView& view, Time now);

/// "0.0.0.0:8080-8081->80-81/tcp, 443/tcp": published ports, ranges put together, then those that
/// are only exposed. Pure.
std::string ports_text(const std::vector<orchestrator::PublishedPort>& published,
                       const std::set<std::string>& exposed);

}  // namespace cli
