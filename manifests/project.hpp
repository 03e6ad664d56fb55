// Which files make up the project, where it lies, what its environment is and what it is called
// (Compose B1, B2, B7): what a command line means before anything is loaded.
#pragma once

#include <string>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/dotenv.hpp"
#include "manifests/load.hpp"
#include "manifests/node.hpp"

namespace manifests {

struct ProjectPlace {
  std::vector<std::string> files;  ///< absolute, or "-"; empty: there is no Compose file
  std::string directory;           ///< absolute; relative paths of the files start here
  Variables environment;
  std::vector<std::string> profiles;   ///< active ones
  std::vector<std::string> env_files;  ///< absolute; a variable has the value of the first with it
};

/// Finds the files and reads the environment. Mistakes (a missing env file) are reported.
ProjectPlace find_project(const LoadOptions& options, Diagnostics& diagnostics);

/// Lower case, nothing but letters, digits, `_` and `-`, beginning with a letter or digit; may
/// become empty.
std::string normalize_project_name(const std::string& name);

/// What the project is called: by the command line, COMPOSE_PROJECT_NAME, the last `name` of the
/// documents (interpolated), the directory. A name that may not be used is reported.
std::string project_name(const LoadOptions& options, const ProjectPlace& place,
                         const std::vector<Node>& documents, Diagnostics& diagnostics);

}  // namespace manifests
