#include "orchestrator/cli/object_verbs.hpp"

#include <algorithm>

namespace cli {

void declare(CommandLine& line, ObjectFlags& flags, const ObjectHelp& help) {
  flags.driver = help.driver;
  line.list("--label", flags.labels, "NAME=VALUE", "create: add a label");
  line.option("-d,--driver", flags.driver, "DRIVER",
              "create: which one (there is but the default)");
  line.list("-o,--opt", flags.options, "NAME=VALUE", help.options);
  line.flag("-q,--quiet", flags.quiet, "ls: only names");
  line.flag("-f,--force", flags.force, "rm: content when there is none");
  line.option("--format", flags.format, "FORMAT", "ls: table, json or TEMPLATE");
  line.arguments(help.arguments, flags.words, 1);
}

void require_verb(const ObjectFlags& flags, const std::vector<std::string>& verbs) {
  if (std::find(verbs.begin(), verbs.end(), flags.verb()) != verbs.end()) return;
  std::string known;
  for (std::size_t i = 0; i < verbs.size(); ++i)
    known += (i == 0 ? "" : i + 1 < verbs.size() ? ", " : " or ") + verbs[i];
  throw UsageError("unknown command \"" + flags.verb() + "\": use " + known);
}

}  // namespace cli
