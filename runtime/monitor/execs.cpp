#include "runtime/monitor/execs.hpp"

#include <utility>

#include "runtime/os/error.hpp"

namespace monitor {

namespace {
constexpr std::size_t kMaxExecs = 1024;
}

Execs::Started Execs::start(ClientId client, const std::string& name, bool keep,
                            ExecRequest& request) {
  if (execs_.size() >= kMaxExecs) throw os::Error(EAGAIN, "exec one more process");
  for (const auto& [pid, exec] : execs_)
    if (exec.client == client && exec.name == name) throw os::Error(EEXIST, "exec '" + name + "'");
  Launched launched = launch_exec(request);
  launched.sync.send(Signal::run);
  if (const auto answer = launched.sync.receive(kStepDeadline)) throw StageError(answer->failure);
  Started started{.pid = launched.child.pid(), .terminal = std::move(launched.terminal)};
  execs_.emplace(started.pid, Exec{client, name, keep, std::move(launched.child)});
  return started;
}

void Execs::kill(ClientId client, const std::string& name, int signal) {
  for (const auto& [pid, exec] : execs_) {
    if (exec.client != client || exec.name != name) continue;
    exec.process.pidfd().send_signal(signal);
    return;
  }
  throw os::Error(ESRCH, "signal exec '" + name + "'");
}

void Execs::abandon(ClientId client) {
  for (auto& [pid, exec] : execs_) {
    if (exec.client != client) continue;
    exec.client = 0;
    if (!exec.keep) exec.process.pidfd().send_signal(SIGKILL);
  }
}

std::optional<Execs::Ended> Execs::ended(pid_t pid, const os::ExitStatus& status) {
  const auto found = execs_.find(pid);
  if (found == execs_.end()) return std::nullopt;
  found->second.process.release();
  Ended ended{found->second.client, std::move(found->second.name), status.code};
  execs_.erase(found);
  return ended;
}

Program exec_program(const container::Process& process, const Program& container) {
  std::vector<std::string> mistakes = container::validate(process);
  if (!mistakes.empty()) throw os::Error("process: " + mistakes.front());
  Program program;
  program.process = process;
  program.capabilities = process.capabilities ? container::capability_masks(*process.capabilities)
                                              : container.capabilities;
  program.filter = container.filter;
  program.filter_flags = container.filter_flags;
  program.personality = container.personality;
  return program;
}

}  // namespace monitor
