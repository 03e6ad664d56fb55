// `stack supervise PROJECT` (started by commands and monitors, not by people), and `version`.
#include <iostream>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/supervisor.hpp"

namespace cli {

int supervise(Invocation& invocation) {
  std::vector<std::string> project;
  invocation.line.arguments("PROJECT", project, 1, 1);
  if (!invocation.line.parse()) return 0;
  require_root(invocation);
  return orchestrator::supervise(invocation.paths, project.front());
}

int version(Invocation& invocation) {
  bool brief = false;
  std::string format = "pretty";
  CommandLine& line = invocation.line;
  line.flag("--short", brief, "Print the number alone");
  line.option("-f,--format", format, "FORMAT", "pretty or json");
  line.example("stack version", "stack version " STACK_VERSION);
  line.example("stack version --short", STACK_VERSION);
  if (!line.parse()) return 0;
  if (format != "pretty" && format != "json")
    throw UsageError("unsupported format \"" + format + "\": use pretty or json");
  if (brief)
    std::cout << STACK_VERSION "\n";
  else if (format == "json")
    std::cout << "{\"version\":\"" STACK_VERSION "\"}\n";
  else
    std::cout << "stack version " STACK_VERSION "\n";
  return 0;
}

}  // namespace cli
