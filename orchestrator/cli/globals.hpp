// What stands before the command: the flags that hold for all of them, and the variables of the
// environment that stand in for them (Compose C1, C2).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cli {

enum class ProgressStyle { tty, plain, json, quiet };

struct Globals {
  std::vector<std::string> files;
  std::vector<std::string> profiles;
  std::vector<std::string> env_files;
  std::optional<std::string> project_name;
  std::optional<std::string> project_directory;
  std::string progress;  ///< auto tty plain json quiet; empty: not said
  std::string ansi;      ///< never always auto; empty: not said
  bool dry_run = false;
  bool all_resources = false;
  bool compatibility = false;
  bool version = false;
  std::optional<std::string> bundled_file;  ///< text of a bundle's file, in place of `files`
  std::vector<std::string> command;         ///< and all that follows it; empty: help was asked for
};

/// Reads the flags in front of the command. Throws UsageError.
Globals parse_globals(const std::vector<std::string>& words);

/// The help that lists the commands.
std::string general_help();

/// How output looks on the two streams, as flags and environment have it.
struct Style {
  ProgressStyle progress = ProgressStyle::plain;
  bool colour_out = false;  ///< escape sequences on standard output
  bool colour_err = false;
};

/// What choose_style() depends on.
struct StyleInput {
  std::string progress;  ///< the flag's
  std::string ansi;      ///< the flag's
  std::map<std::string, std::string> environment;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
};

/// Throws UsageError for values and pairs that cannot be. Pure.
Style choose_style(const StyleInput& input);

/// The environment of this process.
std::map<std::string, std::string> process_environment();
/// Whether a variable is set to a true value (1, true, yes …).
bool is_true(const std::map<std::string, std::string>& environment, const std::string& name);

}  // namespace cli
