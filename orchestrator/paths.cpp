#include "orchestrator/paths.hpp"

#include <unistd.h>

#include <cstdlib>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace orchestrator {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string absolute(const char* variable, const std::string& path) {
  if (!path.empty() && path.front() != '/')
    throw os::Error(std::string(variable) + " must be an absolute path, not '" + path + "'");
  return path;
}

std::string first_of(std::string preferred, std::string otherwise) {
  return preferred.empty() ? std::move(otherwise) : std::move(preferred);
}

}  // namespace

Paths Paths::from_environment() {
  Paths paths{.data = absolute("STACK_DATA_DIR", environment("STACK_DATA_DIR")),
              .run = absolute("STACK_RUN_DIR", environment("STACK_RUN_DIR"))};
  const bool root = ::geteuid() == 0;
  if (paths.data.empty())
    paths.data =
        root ? "/var/lib/stack"
             : first_of(environment("XDG_DATA_HOME"), environment("HOME") + "/.local/share") +
                   "/stack";
  if (paths.run.empty())
    paths.run = root ? "/run/stack"
                     : first_of(environment("XDG_RUNTIME_DIR"),
                                "/tmp/stack-" + std::to_string(::geteuid())) +
                           "/stack";
  return paths;
}

void Paths::make() const {
  for (const std::string& directory : {images(), volumes(), containers(), projects(), cache(),
                                       run + "/containers", run + "/projects"})
    os::make_directories(directory, 0700);
}

std::string runtime_executable() {
  if (const char* given = std::getenv("STACK_RUNTIME")) return given;
  const std::string self = os::self_executable();
  return self.substr(0, self.rfind('/')) + "/stack-runtime";
}

}  // namespace orchestrator
