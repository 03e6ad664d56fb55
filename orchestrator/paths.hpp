// Where things lie on disk: what a reboot keeps (data) and what it takes (run).
#pragma once

#include <string>

namespace orchestrator {

/// The two roots and every directory below them. As root `/var/lib/stack` and `/run/stack`,
/// rootless below `$XDG_DATA_HOME` and `$XDG_RUNTIME_DIR`; `STACK_DATA_DIR` and `STACK_RUN_DIR`
/// override both.
struct Paths {
  std::string data;
  std::string run;

  static Paths from_environment();

  std::string images() const { return data + "/images"; }
  std::string volumes() const { return data + "/volumes"; }
  std::string containers() const { return data + "/containers"; }
  std::string projects() const { return data + "/projects"; }
  std::string cache() const { return data + "/cache"; }
  /// Record, writable layer and log of one container, by its short id.
  std::string container(const std::string& short_id) const { return containers() + "/" + short_id; }
  /// State record and monitor socket of one container, by its short id: its monitor's own.
  std::string container_run(const std::string& short_id) const {
    return run + "/containers/" + short_id;
  }
  std::string project(const std::string& name) const { return projects() + "/" + name; }
  std::string project_run(const std::string& name) const { return run + "/projects/" + name; }
  std::string supervisor_socket(const std::string& name) const {
    return project_run(name) + "/supervisor.sock";
  }

  /// Makes the roots, closed to others (0700), when they are missing.
  void make() const;
};

/// The path of stack-runtime: beside this program, or $STACK_RUNTIME.
std::string runtime_executable();

}  // namespace orchestrator
