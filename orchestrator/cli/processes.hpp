// A process as ps(1) shows it, from /proc.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace cli {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  std::string user;
  int cpu_share = 0;     ///< per cent of its life that it has used a CPU, as ps(1) counts C
  std::string started;   ///< "09:30"
  std::string terminal;  ///< "pts/0" or "?"
  std::string cpu_time;  ///< "00:00:07"
  std::string command;
};

/// Nothing when it has ended.
std::optional<Process> read_process(pid_t pid);

}  // namespace cli
