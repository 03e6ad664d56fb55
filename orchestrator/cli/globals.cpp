#include "orchestrator/cli/globals.hpp"

#include <unistd.h>

#include "orchestrator/cli/command_line.hpp"
#include "orchestrator/cli/commands.hpp"

namespace cli {

namespace {

void declare(CommandLine& line, Globals& globals, bool& ignored) {
  line.list("-f,--file", globals.files, "FILE", "A Compose file; may be repeated, - is stdin");
  line.list("--profile", globals.profiles, "NAME", "Turn a profile on");
  line.list("--env-file", globals.env_files, "FILE", "Read variables from this file");
  line.option("-p,--project-name", globals.project_name, "NAME", "The project's name");
  line.option("--project-directory,--workdir", globals.project_directory, "DIR",
              "Where relative paths start");
  line.option("--progress", globals.progress, "STYLE", "auto, tty, plain, json or quiet");
  line.option("--ansi", globals.ansi, "WHEN", "Colours: never, always or auto");
  line.flag("--dry-run", globals.dry_run, "Say what would be done, do nothing");
  line.flag("--all-resources", globals.all_resources, "Keep what no service uses");
  line.flag("--compatibility", globals.compatibility, "");
  line.flag("--verbose", ignored, "");
  line.flag("-v,--version", globals.version, "Show the version");
}

}  // namespace

Globals parse_globals(const std::vector<std::string>& words) {
  Globals globals;
  bool ignored = false;
  std::string parallel;
  CommandLine line("stack", "", words);
  declare(line, globals, ignored);
  line.option("--parallel", parallel, "N", "");
  line.command("COMMAND", globals.command, 0);
  if (!line.parse(CommandLine::Help::leave)) globals.command.clear();
  return globals;
}

std::string general_help() {
  Globals globals;
  bool ignored = false;
  CommandLine line("stack", "Run the services of a Compose file, each in a container of its own.",
                   {});
  declare(line, globals, ignored);
  std::vector<std::string> command;
  line.command("COMMAND", command, 0);
  line.example("stack up", "start everything and show what it says");
  line.example("stack up -d --wait", "start in the background, return when all is ready");
  line.example("stack logs -f web", "follow one service");
  std::string text = line.help_text() + "\nCommands:\n";
  std::size_t width = 0;
  for (const Command& each : commands()) width = std::max(width, each.name.size());
  for (const Command& each : commands())
    if (!each.summary.empty())
      text += "  " + std::string(each.name) + std::string(width - each.name.size() + 3, ' ') +
              std::string(each.summary) + "\n";
  return text + "\n`stack COMMAND --help` explains one of them.\n";
}

Style choose_style(const StyleInput& input) {
  const auto variable = [&](const char* name) {
    const auto found = input.environment.find(name);
    return found == input.environment.end() ? std::string() : found->second;
  };
  std::string ansi = input.ansi.empty() ? variable("COMPOSE_ANSI") : input.ansi;
  if (ansi.empty()) ansi = variable("NO_COLOR").empty() ? "auto" : "never";
  if (ansi != "auto" && ansi != "never" && ansi != "always")
    throw UsageError("unsupported --ansi value \"" + ansi + "\": use never, always or auto");
  std::string progress = input.progress.empty() ? variable("COMPOSE_PROGRESS") : input.progress;
  if (progress.empty()) progress = "auto";

  Style style;
  style.colour_out = ansi == "always" || (ansi == "auto" && input.out_is_terminal);
  style.colour_err = ansi == "always" || (ansi == "auto" && input.err_is_terminal);
  if (progress == "tty") {
    if (ansi == "never")
      throw UsageError("can't use --progress tty while ANSI support is disabled");
    style.progress = ProgressStyle::tty;
  } else if (progress == "plain") {
    if (input.ansi == "always")
      throw UsageError("can't use --progress plain while ANSI support is forced");
    style.progress = ProgressStyle::plain;
  } else if (progress == "json") {
    style.progress = ProgressStyle::json;
  } else if (progress == "quiet") {
    style.progress = ProgressStyle::quiet;
  } else if (progress == "auto") {
    style.progress = input.err_is_terminal && ansi != "never" && variable("TERM") != "dumb"
                         ? ProgressStyle::tty
                         : ProgressStyle::plain;
  } else {
    throw UsageError("unsupported --progress value \"" + progress +
                     "\": use auto, tty, plain, json or quiet");
  }
  return style;
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

bool is_true(const std::map<std::string, std::string>& environment, const std::string& name) {
  const auto found = environment.find(name);
  if (found == environment.end()) return false;
  const std::string& value = found->second;
  return value == "1" || value == "true" || value == "TRUE" || value == "True" || value == "t" ||
         value == "yes" || value == "y" || value == "on";
}

}  // namespace cli
