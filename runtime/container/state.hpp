// What is known of a container on disk, written by its monitor and read by anyone. A plain JSON
// file, replaced whole.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/os/process.hpp"

namespace container {

/// The environment of a stack-runtime that runs from a detached mount: where its file is. No path
/// leads back from there.
inline constexpr const char* kRuntimePathVariable = "STACK_RUNTIME_EXECUTABLE";

enum class Status { creating, created, running, paused, stopped, failed };
std::string_view status_name(Status status) noexcept;
std::optional<Status> status_from_name(std::string_view name) noexcept;

/// Why a container could not be created or started.
struct Failure {
  std::string stage;  ///< "mount", "exec" …
  int errnum = 0;
  std::string message;
  int exit_code = 125;  ///< 125, 126 or 127, as a shell would
};

struct State {
  std::string id;
  std::string bundle;
  Status status = Status::creating;
  std::string boot_id;
  std::optional<os::ProcessIdentity> monitor;
  std::optional<os::ProcessIdentity> init;
  std::map<std::string, std::string> cgroups;  ///< Cgroup::Paths
  std::string created_at;                      ///< RFC 3339; empty: not yet
  std::string started_at;
  std::string finished_at;
  std::optional<int> exit_code;
  int signal = 0;  ///< that ended init; 0: none
  bool oom_killed = false;
  std::optional<Failure> failure;
  std::map<std::string, std::string> annotations;
};

nlohmann::json state_to_json(const State& state);
/// Throws os::Error for a record that is damaged or of a later version.
State state_from_json(const nlohmann::json& json);

/// Where the files of a container's state directory are.
struct StatePaths {
  explicit StatePaths(std::string state_directory) : directory(std::move(state_directory)) {}
  std::string directory;
  std::string record() const { return directory + "/state.json"; }
  std::string monitor_socket() const { return directory + "/monitor.sock"; }
  std::string lock() const { return directory + "/lock"; }
  std::string exec_gate() const { return directory + "/exec.fifo"; }
};

/// Nothing when there is no record.
std::optional<State> read_state(const StatePaths& paths);
void write_state(const StatePaths& paths, const State& state);

/// Now as RFC 3339 with nanoseconds, UTC.
std::string timestamp_now();

}  // namespace container
