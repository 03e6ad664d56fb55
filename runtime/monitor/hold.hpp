// A container's monitor: makes the container, holds it, and tells those who ask. See README.md for
// the events and operations.
#pragma once

#include <sys/types.h>

#include <list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/container/log_file.hpp"
#include "runtime/container/state.hpp"
#include "runtime/monitor/clients.hpp"
#include "runtime/monitor/create.hpp"
#include "runtime/monitor/event_loop.hpp"
#include "runtime/monitor/execs.hpp"
#include "runtime/monitor/relay.hpp"
#include "runtime/monitor/stdio.hpp"
#include "runtime/monitor/supervisor.hpp"

namespace monitor {

struct MonitorOptions {
  std::string id;
  std::string bundle;
  std::string state_directory;
  std::string log_path;
  container::LogOptions log;
  bool input = false;                    ///< stdin is a pipe, for attach
  bool locked = false;                   ///< descriptor 4 is a lock that is to be kept
  std::vector<std::string> on_orphaned;  ///< argv of a new supervisor
};

class Monitor {
 public:
  explicit Monitor(MonitorOptions options);
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor();

  /// Makes the container and serves until it is released; `control` is the first subscriber.
  void run(os::UniqueFd control);

 private:
  // Life of the container, in its order.
  void create();
  void note_created(CreatedContainer created, container::Spec& spec);
  void start(std::vector<os::UniqueFd> sockets, const nlohmann::json& request);
  void start_answered();
  void fail(const Failure& failure);
  void init_ended(const os::ExitStatus& status);
  void finish_when_empty(std::chrono::milliseconds pause, int attempts);
  void finish();
  void release();

  // What happens meanwhile.
  void reap();
  void watch_memory();
  void memory_event();
  void save() { container::write_state(paths_, state_); }

  // Requests.
  void request(ClientId client, const nlohmann::json& request, std::vector<os::UniqueFd> fds);
  bool control(ClientId client, const nlohmann::json& request, std::vector<os::UniqueFd>& fds);
  void query(ClientId client, const nlohmann::json& request);
  void kill(const nlohmann::json& request);
  void pause();
  void resume();
  void exec(ClientId client, const nlohmann::json& request, std::vector<os::UniqueFd> fds);
  void attach(ClientId client, const nlohmann::json& request);
  void open_relays(const nlohmann::json& request, std::vector<os::UniqueFd> sockets);
  void require(container::Status status, const char* what) const;
  void require_running(const char* what) const;

  MonitorOptions options_;
  container::StatePaths paths_;
  container::State state_;
  EventLoop loop_;
  Clients clients_;
  SupervisorRevival revival_;
  os::UniqueFd signals_;
  std::unique_ptr<Stdio> stdio_;
  std::optional<container::Cgroup> cgroup_;
  os::UniqueFd memory_events_;
  std::uint64_t oom_kills_ = 0;
  os::Child init_;
  std::optional<SyncChannel> sync_;  ///< until the program is executed
  bool start_sent_ = false;
  std::optional<os::ExitStatus> exit_;
  std::string cgroup_parent_;
  container::Hooks hooks_;
  Program defaults_;  ///< what exec takes from the container's own process
  Execs execs_;
  std::list<std::unique_ptr<Relay>> relays_;
  std::vector<os::UniqueFd> reservations_;
};

}  // namespace monitor
