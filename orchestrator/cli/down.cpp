#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/request.hpp"
#include "orchestrator/record.hpp"

namespace cli {

int down(Invocation& invocation) {
  orchestrator::protocol::Down request;
  bool dry_run = false;
  CommandLine& line = invocation.line;
  line.flag("-v,--volumes", request.volumes, "Remove named and anonymous volumes, with their data");
  line.flag("--remove-orphans", request.remove_orphans,
            "Remove containers of services that the file does not have");
  line.option("--rmi", request.remove_images, "WHICH", "Remove images: local or all");
  line.option("-t,--timeout", request.timeout, "SECONDS", "How long a stop may take before a kill");
  line.flag("--dry-run", dry_run, "Print what would be done, do nothing");
  line.arguments("[SERVICE...]", request.services);
  line.example("stack down", "stop and remove everything but volumes");
  line.example("stack down -v", "the data too");
  line.example("stack -p shop down", "from anywhere, by the project's name");
  if (!line.parse()) return 0;
  const std::string& which = request.remove_images;
  if (!which.empty() && which != "local" && which != "all")
    throw UsageError("invalid value for --rmi: \"" + which + "\": use local or all");
  require_root(invocation);
  const Project project = find_project(invocation, request.services);
  if (!line.given("--remove-orphans"))
    request.remove_orphans = is_true(invocation.environment, "COMPOSE_REMOVE_ORPHANS");
  if (dry_run || invocation.globals.dry_run) {
    for (const auto& record : orchestrator::read_records(invocation.paths, project.name))
      write_out("DRY-RUN MODE - Container " + record.name + " would be removed\n");
    return 0;
  }
  request.stack = project.json();
  return perform(invocation, project.name, "down", request);
}

}  // namespace cli
