// The commands that change a project, as the supervisor carries them out: one at a time. Each tells
// the session what it does and returns the command's exit code; a failure is a Failure or an
// os::Error.
#pragma once

#include <memory>

#include "orchestrator/project.hpp"
#include "orchestrator/protocol.hpp"
#include "orchestrator/session.hpp"

namespace orchestrator {

Task<int> run_up(Project& project, std::shared_ptr<Session> session, protocol::Up up);
Task<int> run_down(Project& project, std::shared_ptr<Session> session, protocol::Down down);
/// `operation` is start, stop, restart, kill, pause, unpause or rm.
Task<int> run_lifecycle(Project& project, std::shared_ptr<Session> session, std::string operation,
                        protocol::Lifecycle lifecycle);

/// Makes and starts the one-off container of `run`; tells its id and returns it.
Task<std::shared_ptr<Container>> start_oneoff(Project& project, std::shared_ptr<Session> session,
                                              protocol::Run run);
/// Waits until it has ended; returns its exit code.
Task<int> await_oneoff(Project& project, std::shared_ptr<Session> session,
                       std::shared_ptr<Container> container);

}  // namespace orchestrator
