// The pipeline: files → Stack. Each phase has a file of its own (README.md); this one orders them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/node.hpp"
#include "manifests/stack.hpp"

namespace manifests {

/// What a command line says about the project, and the surroundings it was said in. load() asks
/// nothing else: no environment variable, no current directory.
struct LoadOptions {
  std::vector<std::string> files;  ///< `-f`, in order; empty: COMPOSE_FILE, then a search (B1)
  std::optional<std::string> project_name;       ///< `-p`
  std::optional<std::string> project_directory;  ///< `--project-directory`
  std::vector<std::string> env_files;            ///< `--env-file`, in order
  std::vector<std::string> profiles;             ///< `--profile`
  std::vector<std::string> services;  ///< named on the command line; empty: every active one
  std::map<std::string, std::string> environment;  ///< of the process
  std::string working_directory;                   ///< absolute; where the command was given
  std::string stdin_text;                          ///< what `-f -` reads
  std::map<std::string, std::string> texts;  ///< in place of files: absolute path → what it holds
  bool interpolate = true;                   ///< off: `--no-interpolate`
  bool normalize = true;                     ///< off: `--no-normalize`
  bool resolve_paths = true;                 ///< off: `--no-path-resolution`
  bool consistency = true;                   ///< off: `--no-consistency`
  bool resolve_env = true;                   ///< off: `--no-env-resolution`
  bool all_resources = false;                ///< `--all-resources`: keep what no service uses
};

struct Loaded {
  Stack stack;
  std::vector<Diagnostic> warnings;
  std::vector<std::string> files;  ///< absolute paths of the files read as the project's own
  std::map<std::string, std::string> environment;  ///< of the project: process, then env files (B2)
  std::string directory;                           ///< the project's, absolute
};

/// Throws InvalidManifest with every mistake found in the phase that failed.
Loaded load(const LoadOptions& options);

struct LoadedModel {
  Node model;  ///< canonical, with the project's `name`
  std::vector<Diagnostic> warnings;
};

/// The front half alone: the merged model before its text is given types. With `interpolate` off
/// this is all there is, for a variable may stand where a number belongs. Throws as load() does.
LoadedModel load_model(const LoadOptions& options);

}  // namespace manifests
