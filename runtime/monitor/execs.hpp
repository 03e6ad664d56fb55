// Processes that exec added to a container, until they end.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/monitor/clients.hpp"
#include "runtime/monitor/create.hpp"
#include "runtime/os/process.hpp"

namespace monitor {

class Execs {
 public:
  struct Started {
    pid_t pid = 0;
    os::UniqueFd terminal;  ///< the master, with a terminal
  };
  struct Ended {
    ClientId client = 0;
    std::string name;
    int code = 0;
  };

  /// Starts a process under `name` for `client`, which must not have one of that name. `keep`: it
  /// outlives the client's connection. Throws StageError.
  Started start(ClientId client, const std::string& name, bool keep, ExecRequest& request);
  /// Throws os::Error when there is no such process.
  void kill(ClientId client, const std::string& name, int signal);
  /// The client is gone: kills what was not to be kept.
  void abandon(ClientId client);
  /// A child was reaped. Nothing when it was none of ours.
  std::optional<Ended> ended(pid_t pid, const os::ExitStatus& status);

 private:
  struct Exec {
    ClientId client = 0;
    std::string name;
    bool keep = false;
    os::Child process;
  };
  std::map<pid_t, Exec> execs_;
};

/// A client's request as a program: what it leaves out is as for the container's own process.
Program exec_program(const container::Process& process, const Program& container);

}  // namespace monitor
