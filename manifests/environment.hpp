// The environment of a project (Compose B2): what interpolation and bare variable names look into.
#pragma once

#include <string>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/dotenv.hpp"

namespace manifests {

/// Looks into `variables`, which must outlive the lookup.
Lookup lookup_in(const Variables& variables);

/// Reads environment files in order, a later one over an earlier, and adds what `environment` does
/// not have yet. A file that is missing is an error, as is a bad line. `kind`: whether the user
/// named the files, so that they may be pipes.
void add_env_files(const std::vector<std::string>& files, FileKind kind, Variables& environment,
                   Diagnostics& diagnostics);

/// `directory`/.env when there is such a file.
std::vector<std::string> default_env_files(const std::string& directory);

/// COMPOSE_DISABLE_ENV_FILE is set to a true value. A value that is no boolean is an error.
bool default_env_files_disabled(const Variables& environment, Diagnostics& diagnostics);

}  // namespace manifests
