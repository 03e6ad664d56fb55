#include "orchestrator/cli/project.hpp"

#include <unistd.h>

#include <algorithm>

#include "manifests/print.hpp"
#include "manifests/project.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/record.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"

namespace cli {

namespace {

std::string current_directory() {
  std::error_code error;
  const auto path = std::filesystem::current_path(error);
  if (error) throw os::Error(error.value(), "find the current directory");
  return path.string();
}

void print_warnings(const std::vector<manifests::Diagnostic>& warnings) {
  for (const manifests::Diagnostic& warning : warnings) print_diagnostic(warning);
}

/// Adds to `stack` what loading it for named services has turned on besides.
void take_enabled(manifests::Stack& stack, manifests::Stack&& enabled) {
  for (auto& [name, service] : enabled.services) {
    stack.disabled_services.erase(name);
    stack.services.insert_or_assign(name, std::move(service));
  }
  stack.networks.merge(enabled.networks);
  stack.volumes.merge(enabled.volumes);
  stack.configs.merge(enabled.configs);
  stack.secrets.merge(enabled.secrets);
  stack.models.merge(enabled.models);
  stack.positions.merge(enabled.positions);
}

/// A name that holds without any file.
std::optional<std::string> name_alone(const Invocation& invocation) {
  std::string name = invocation.globals.project_name.value_or("");
  if (name.empty()) {
    const auto found = invocation.environment.find("COMPOSE_PROJECT_NAME");
    if (found != invocation.environment.end()) name = found->second;
  }
  if (name.empty()) return std::nullopt;
  const std::string normal = manifests::normalize_project_name(name);
  if (normal != name)
    throw os::Error("invalid project name \"" + name +
                    "\": it must consist of lower case letters, digits, _ and - and begin with a "
                    "letter or digit" +
                    (normal.empty() ? "" : "; \"" + normal + "\" would do"));
  return name;
}

void check_known(const Invocation& invocation, const Project& project,
                 const std::vector<std::string>& services) {
  if (services.empty()) return;
  const auto records = orchestrator::read_records(invocation.paths, project.name);
  for (const std::string& service : services)
    if (std::none_of(records.begin(), records.end(),
                     [&](const auto& record) { return record.service == service; }))
      throw os::Error("no such service: " + service);
}

}  // namespace

orchestrator::protocol::Json Project::json() const {
  if (!stack) return nullptr;
  return manifests::to_json(*stack, manifests::Detail::complete);
}

manifests::LoadOptions load_options(const Invocation& invocation) {
  const Globals& globals = invocation.globals;
  manifests::LoadOptions options{.files = globals.files,
                                 .project_name = globals.project_name,
                                 .project_directory = globals.project_directory,
                                 .env_files = globals.env_files,
                                 .profiles = globals.profiles,
                                 .environment = invocation.environment,
                                 .working_directory = current_directory(),
                                 .all_resources = globals.all_resources};
  if (globals.bundled_file) {
    options.files = {"-"};
    options.stdin_text = *globals.bundled_file;
    if (!options.project_directory) options.project_directory = options.working_directory;
    return options;
  }
  if (std::find(globals.files.begin(), globals.files.end(), "-") != globals.files.end())
    options.stdin_text = os::read_all(STDIN_FILENO, manifests::kMaxSourceBytes, "standard input");
  return options;
}

bool has_project_files(const Invocation& invocation) {
  manifests::Diagnostics diagnostics;
  return !manifests::find_project(load_options(invocation), diagnostics).files.empty();
}

manifests::Stack load_stack(const Invocation& invocation,
                            const std::vector<std::string>& services) {
  manifests::LoadOptions options = load_options(invocation);
  manifests::Loaded loaded = manifests::load(options);
  print_warnings(loaded.warnings);
  const bool all_on = std::all_of(
      services.begin(), services.end(),
      [&](const std::string& service) { return loaded.stack.services.contains(service); });
  if (!all_on) {
    options.services = services;
    take_enabled(loaded.stack, std::move(manifests::load(options).stack));
  }
  return std::move(loaded.stack);
}

Project find_project(const Invocation& invocation, const std::vector<std::string>& services) {
  const Globals& globals = invocation.globals;
  Project project;
  const auto name = name_alone(invocation);
  const bool by_name = globals.project_name && globals.files.empty();
  if (!by_name) {
    try {
      project.stack = load_stack(invocation, services);
      project.name = project.stack->name;
      return project;
    } catch (const manifests::InvalidManifest&) {
      if (!name || !globals.files.empty()) throw;
    }
  }
  project.name = *name;
  check_known(invocation, project, services);
  return project;
}

void require_root(const Invocation& invocation) {
  if (::geteuid() == 0) return;
  throw os::Error(invocation.line.name() +
                  " must run as root: it makes namespaces, mounts and networks (try sudo)");
}

}  // namespace cli
