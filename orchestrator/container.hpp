// One container as its supervisor drives it: carries out what the life and health machines decide,
// talks to the container's monitor, and keeps record and status on disk.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "network/dns_server.hpp"
#include "network/network.hpp"
#include "orchestrator/effective.hpp"
#include "orchestrator/health_machine.hpp"
#include "orchestrator/monitor_link.hpp"
#include "orchestrator/record.hpp"
#include "orchestrator/service_machine.hpp"
#include "orchestrator/waiting.hpp"
#include "runtime/image/store.hpp"
#include "runtime/os/file.hpp"

namespace orchestrator {

class Project;

class Container : public std::enable_shared_from_this<Container> {
 public:
  /// The container of `record`, which is on disk.
  Container(Project& project, ContainerRecord record);
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  ~Container();

  const ContainerRecord& record() const { return record_; }
  const ContainerStatus& status() const { return status_; }
  const std::string& name() const { return record_.name; }
  const manifests::Stack& stack() const { return stack_; }
  const manifests::Service& service() const { return stack_.services.begin()->second; }
  ContainerState state() const { return machine_.state(); }
  bool paused() const { return status_.state == "paused"; }
  /// Runs or is about to: a stop has something to do.
  bool active() const;
  /// Its process has ended, which readers of its state may know, and is being cleared up after.
  bool ending() const {
    return ended_ && active() && machine_.state() != ContainerState::restarting;
  }
  std::optional<Health> health() const;
  bool has_health_check() const { return health_check_.has_value(); }
  /// The stop signal's name when its process 1 would not notice it, so that only SIGKILL ends it: a
  /// signal that process 1 neither catches nor waits for is thrown away (pid_namespaces(7)).
  std::optional<std::string> unheeded_stop_signal() const;
  /// Of the running container in the host's pid namespace; 0 when it does not run.
  pid_t pid() const { return pid_; }

  /// Starts it and returns when its program runs. Throws os::Error with why it does not.
  Task<> start();
  /// Stop signal, then after the grace (its own when absent) SIGKILL; returns when it has ended.
  Task<> stop(std::optional<Duration> grace);
  /// Sends a signal; SIGKILL also ends the restart policy, and is waited for.
  Task<> kill(int signal);
  Task<> pause();
  Task<> unpause();
  /// Takes away everything of it that is stopped: directories, addresses, and with `volumes` its
  /// anonymous volumes.
  Task<> remove(bool volumes);

  /// While a client still reads of it, a container of `run --rm` stays after its end.
  void keep(bool on) { kept_ = on; }

  /// Takes up what an earlier supervisor left: a running container, or one that ended meanwhile.
  Task<> adopt();

 private:
  struct ProbeRun;
  /// The answer to an operation that was numbered.
  struct Reply {
    std::optional<Json> data;
  };

  void handle(const LifeEvent& happened);
  void perform(const LifeAction& action);
  void arm(Duration delay, LifeEvent event);
  Task<Json> request(Json operation);

  Task<> launch();
  Task<> prepare();
  /// The lock on the container's state, once an earlier monitor has ended.
  Task<os::FileLock> lock_state();
  void spawn_monitor(const os::FileLock& lock);
  Task<> follow_monitor();
  Task<> on_event(MonitorEvent event);
  Task<> on_namespaces(pid_t pid);
  void on_started(const std::string& at);
  Task<> on_ended(Outcome outcome);
  Task<> dismiss_monitor();
  void send_start();
  void announce();
  network::DnsPolicy dns_policy() const;

  /// Whether the container has, or had, a monitor. One that is starting is waited for.
  Task<bool> find_monitor();
  Task<> adopt_running(Json state);
  Task<> adopt_network();
  /// Starts it again: its pause before that ended with the earlier supervisor.
  void end_pause();
  Task<> clear_leftovers();

  Task<> watch_health(unsigned run);
  Task<ProbeResult> probe(Json process);
  void on_exec_event(const MonitorEvent& event);

  void set_state(const std::string& state);
  void save_status();
  void note(const std::string& action, const std::map<std::string, std::string>& attributes = {});
  Json process_for_exec(const std::vector<std::string>& arguments) const;

  Project& project_;
  ContainerRecord record_;
  ContainerStatus status_;
  manifests::Stack stack_;  ///< of this one service, with what it refers to
  ServiceMachine machine_;
  std::optional<HealthCheck> health_check_;
  std::optional<HealthMachine> health_;
  image::ImageConfig image_;

  std::optional<MonitorLink> link_;
  network::Published published_;  ///< held until the monitor holds them
  std::vector<std::pair<std::string, network::Address>> addresses_;  ///< by key of the network
  pid_t pid_ = 0;
  bool network_ready_ = false;
  bool created_ = false;
  unsigned run_ = 0;         ///< counts the runs, so that what belongs to an earlier one ends
  bool ended_ = true;        ///< the run is over, so what the monitor still says does not matter
  bool dismissing_ = false;  ///< a monitor has been let go and has not ended yet
  bool removing_ = false;
  bool kept_ = false;
  std::string start_error_;
  boost::asio::steady_timer timer_;
  std::map<std::string, std::shared_ptr<ProbeRun>> probes_;
  unsigned probe_count_ = 0;
  std::map<std::int64_t, std::shared_ptr<Reply>> replies_;  ///< by "seq"
  std::int64_t sequence_ = 0;
};

}  // namespace orchestrator
