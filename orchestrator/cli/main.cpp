// The command `stack`: finds the command, runs it, and turns what it throws into an exit code.
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "manifests/diagnostic.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/memory.hpp"

namespace {

std::string unknown_command(const std::string& name) {
  std::vector<std::string> known;
  for (const cli::Command& command : cli::commands())
    if (!command.summary.empty()) known.emplace_back(command.name);
  const std::string near = manifests::nearest(name, known);
  return "unknown command: " + name + (near.empty() ? "" : "; did you mean " + near + "?");
}

int run(const std::vector<std::string>& words, std::string& name) {
  cli::Globals globals = cli::parse_globals(words);
  if (globals.version) globals.command = {"version"};
  const bool help = !globals.command.empty() && globals.command.front() == "help";
  if (help) globals.command.erase(globals.command.begin());
  if (globals.command.empty()) {
    std::cout << cli::general_help();
    return 0;
  }
  if (help) globals.command = {globals.command.front(), "--help"};
  const cli::Command* command = cli::find_command(globals.command.front());
  if (command == nullptr) throw cli::UsageError(unknown_command(globals.command.front()));
  name += " " + globals.command.front();
  auto environment = cli::process_environment();
  const cli::Style style = cli::choose_style({.progress = globals.progress,
                                              .ansi = globals.ansi,
                                              .environment = environment,
                                              .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
                                              .err_is_terminal = ::isatty(STDERR_FILENO) == 1});
  std::vector<std::string> rest(globals.command.begin() + 1, globals.command.end());
  cli::Invocation invocation{.globals = std::move(globals),
                             .style = style,
                             .environment = std::move(environment),
                             .paths = orchestrator::Paths::from_environment(),
                             .line = {name, std::string(command->summary), std::move(rest)}};
  return command->run(invocation);
}

/// A reader of ours that went away (`stack logs | head`) is no failure to talk about.
bool is_broken_pipe(const std::exception& error) {
  const auto* failed = dynamic_cast<const os::Error*>(&error);
  return failed != nullptr && failed->code() == EPIPE;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::size_t kUsedHeap = 384 * 1024;
  os::populate_heap(kUsedHeap);
  std::ios::sync_with_stdio(false);
  ::signal(SIGPIPE, SIG_IGN);
  std::string name = "stack";
  int code = 1;
  try {
    code = run(std::vector<std::string>(argv + 1, argv + argc), name);
    std::cout.flush();
  } catch (const cli::UsageError& error) {
    std::cout.flush();
    std::cerr << name << ": " << error.what() << "\nSee '" << name << " --help'.\n";
    code = 2;
  } catch (const manifests::InvalidManifest& invalid) {
    std::cout.flush();
    for (const manifests::Diagnostic& diagnostic : invalid.diagnostics())
      cli::print_diagnostic(diagnostic);
  } catch (const std::exception& error) {
    std::cout.flush();
    if (!is_broken_pipe(error)) cli::print_error(error.what());
  }
  return code;
}
