// `start`, `stop`, `restart`, `kill`, `pause`, `unpause`, `rm`, `wait`: on containers that exist.
#include <poll.h>
#include <unistd.h>

#include <iostream>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/container_view.hpp"
#include "orchestrator/cli/journal_reader.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/request.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

using orchestrator::protocol::Lifecycle;

/// What a command does when the project has no container at all (Compose C1.9).
using WhenEmpty = int (*)(const std::string& project);

int content(const std::string&) { return 0; }

int act(Invocation& invocation, const std::string& operation, Lifecycle request,
        WhenEmpty when_empty = content) {
  require_root(invocation);
  const Project project = find_project(invocation, request.services);
  const auto containers =
      of_services(view_containers(invocation.paths, project.name), request.services);
  if (containers.empty()) return when_empty(project.name);
  if (invocation.globals.dry_run) {
    for (const ContainerView& view : containers)
      write_out("DRY-RUN MODE - Container " + view.record.name + ": " + operation + "\n");
    return 0;
  }
  request.stack = project.json();
  return perform(invocation, project.name, operation, request);
}

void declare_services(CommandLine& line, Lifecycle& request) {
  line.arguments("[SERVICE...]", request.services);
}

void declare_timeout(CommandLine& line, Lifecycle& request) {
  line.option("-t,--timeout", request.timeout, "SECONDS", "How long a stop may take before a kill");
}

}  // namespace

int start(Invocation& invocation) {
  Lifecycle request;
  CommandLine& line = invocation.line;
  line.flag("--wait", request.wait, "Return once everything is running or healthy");
  line.option("--wait-timeout", request.wait_timeout, "SECONDS", "Give up waiting after this long");
  declare_services(line, request);
  line.example("stack start", "start all that is stopped, in order");
  line.example("stack start --wait db", "return when db is healthy");
  if (!line.parse()) return 0;
  return act(invocation, "start", std::move(request), [](const std::string& project) -> int {
    throw os::Error("no container found for project \"" + project + "\": not found");
  });
}

int stop(Invocation& invocation) {
  Lifecycle request;
  declare_timeout(invocation.line, request);
  declare_services(invocation.line, request);
  invocation.line.example("stack stop", "stop everything, dependents first");
  invocation.line.example("stack stop -t 2 web", "kill web after two seconds");
  if (!invocation.line.parse()) return 0;
  return act(invocation, "stop", std::move(request));
}

int restart(Invocation& invocation) {
  Lifecycle request;
  declare_timeout(invocation.line, request);
  invocation.line.flag("--no-deps", request.no_deps, "Leave dependents alone");
  declare_services(invocation.line, request);
  invocation.line.example("stack restart", "stop and start everything");
  invocation.line.example("stack restart db", "and those that depend on it with restart: true");
  if (!invocation.line.parse()) return 0;
  return act(invocation, "restart", std::move(request));
}

int kill(Invocation& invocation) {
  Lifecycle request;
  bool remove_orphans = false;
  invocation.line.option("-s,--signal", request.signal, "SIGNAL", "Name or number; SIGKILL");
  invocation.line.flag("--remove-orphans", remove_orphans, "");
  declare_services(invocation.line, request);
  invocation.line.example("stack kill", "end everything at once");
  invocation.line.example("stack kill -s HUP web", "have web read its configuration again");
  if (!invocation.line.parse()) return 0;
  return act(invocation, "kill", std::move(request));
}

int pause(Invocation& invocation) {
  Lifecycle request;
  declare_services(invocation.line, request);
  invocation.line.example("stack pause", "freeze everything");
  invocation.line.example("stack pause db", "freeze one service");
  if (!invocation.line.parse()) return 0;
  return act(invocation, "pause", std::move(request));
}

int unpause(Invocation& invocation) {
  Lifecycle request;
  declare_services(invocation.line, request);
  invocation.line.example("stack unpause", "let everything go on");
  invocation.line.example("stack unpause db", "one service");
  if (!invocation.line.parse()) return 0;
  return act(invocation, "unpause", std::move(request));
}

namespace {

/// Names what is to go, and asks unless told not to.
bool confirmed(const std::vector<ContainerView>& containers, bool force) {
  std::string names;
  for (const ContainerView& view : containers)
    names += (names.empty() ? "" : ", ") + view.record.name;
  std::cout << "Going to remove " << names << "\n";
  if (force) return true;
  std::cout << "Are you sure? [yN] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return !answer.empty() && (answer.front() == 'y' || answer.front() == 'Y');
}

}  // namespace

int rm(Invocation& invocation) {
  Lifecycle request;
  bool force = false;
  CommandLine& line = invocation.line;
  line.flag("-f,--force", force, "Do not ask");
  line.flag("-s,--stop", request.stop, "Stop running ones first");
  line.flag("-v,--volumes", request.volumes, "Remove anonymous volumes too");
  declare_services(line, request);
  line.example("stack rm", "ask, then remove stopped containers");
  line.example("stack rm -fsv web", "stop and remove web with its anonymous volumes");
  if (!line.parse()) return 0;
  require_root(invocation);
  const Project project = find_project(invocation, request.services);
  auto containers = view_containers(invocation.paths, project.name);
  std::erase_if(containers, [&](const ContainerView& view) {
    const bool named =
        request.services.empty() || std::find(request.services.begin(), request.services.end(),
                                              view.record.service) != request.services.end();
    return !named || (view.record.oneoff && view.is_active());
  });
  if (!request.stop)
    std::erase_if(containers, [](const ContainerView& view) { return view.is_active(); });
  if (containers.empty()) {
    print_warning("No stopped containers");
    return 0;
  }
  if (!confirmed(containers, force)) return 0;
  std::cout.flush();
  request.stack = project.json();
  return perform(invocation, project.name, "rm", request);
}

namespace {

/// Prints each container as it ends; returns the code of the last one.
int wait_for(const Invocation& invocation, const std::string& project,
             std::vector<ContainerView> containers) {
  Interrupts interrupts;
  JournalReader journal(invocation.paths, project, JournalReader::Begin::at_end);
  int code = 0;
  while (!containers.empty()) {
    for (ContainerView& view : containers) view = view_of(invocation.paths, view.record);
    std::erase_if(containers, [&](const ContainerView& view) {
      if (view.is_active()) return false;
      code = view.exit_code;
      std::cout << "container \"" << view.record.id << "\" exited with status code " << code
                << std::endl;
      return true;
    });
    if (containers.empty()) break;
    std::array<pollfd, 2> fds{{{interrupts.fd(), POLLIN, 0}, {journal.wake(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), -1);
    if (interrupts.take()) return kInterrupted;
    journal.take();
    const auto still = view_containers(invocation.paths, project);
    for (ContainerView& view : containers)  // records hold how they ended
      for (const ContainerView& now : still)
        if (now.record.id == view.record.id) view = now;
  }
  return code;
}

}  // namespace

int wait(Invocation& invocation) {
  std::vector<std::string> services;
  bool down_project = false;
  CommandLine& line = invocation.line;
  line.flag("--down-project", down_project, "Then remove the project");
  line.arguments("SERVICE...", services, 1);
  line.example("stack wait job", "return job's exit code once it has ended");
  line.example("stack wait --down-project tests", "and remove everything then");
  if (!line.parse()) return 0;
  require_root(invocation);
  const Project project = find_project(invocation, services);
  auto containers = of_services(view_containers(invocation.paths, project.name), services);
  if (containers.empty()) throw os::Error("no containers for project \"" + project.name + "\"");
  const int code = wait_for(invocation, project.name, std::move(containers));
  if (!down_project || code == kInterrupted) return code;
  orchestrator::protocol::Down request{.stack = project.json(), .remove_orphans = true};
  const int down_code = perform(invocation, project.name, "down", request);
  return down_code != 0 ? down_code : code;
}

}  // namespace cli
