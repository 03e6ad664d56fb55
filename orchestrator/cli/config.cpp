#include <fcntl.h>

#include "manifests/print.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/planning.hpp"
#include "runtime/image/digest.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace cli {

namespace {

struct ConfigFlags {
  std::vector<std::string> services;
  std::string format = "yaml";
  std::string output;
  std::string hash;
  bool quiet = false;
  bool list_services = false;
  bool list_volumes = false;
  bool list_networks = false;
  bool list_models = false;
  bool list_profiles = false;
  bool list_images = false;
  bool environment = false;
  bool no_interpolate = false;
  bool no_normalize = false;
  bool no_path_resolution = false;
  bool no_consistency = false;
  bool no_env_resolution = false;
};

void declare(CommandLine& line, ConfigFlags& flags) {
  line.option("--format", flags.format, "FORMAT", "yaml or json");
  line.option("-o,--output", flags.output, "FILE", "Write to a file");
  line.flag("-q,--quiet", flags.quiet, "Only check");
  line.flag("--services", flags.list_services, "Print the names of services");
  line.flag("--volumes", flags.list_volumes, "Print the names of volumes");
  line.flag("--networks", flags.list_networks, "Print the names of networks");
  line.flag("--models", flags.list_models, "Print the names of models");
  line.flag("--profiles", flags.list_profiles, "Print the profiles there are");
  line.flag("--images", flags.list_images, "Print the images that are needed");
  line.option("--hash", flags.hash, "SERVICE|*", "Print what changes when a service changes");
  line.flag("--environment", flags.environment, "Print the variables that are put in");
  line.flag("--no-interpolate", flags.no_interpolate, "Leave variables as written");
  line.flag("--no-normalize", flags.no_normalize, "Do not complete the model");
  line.flag("--no-path-resolution", flags.no_path_resolution, "Leave paths as written");
  line.flag("--no-consistency", flags.no_consistency, "Do not check references");
  line.flag("--no-env-resolution", flags.no_env_resolution, "Do not read env_file");
  line.arguments("[SERVICE...]", flags.services);
  line.example("stack config", "the file as it is understood: merged, complete, absolute");
  line.example("stack config -q", "only tell whether it is right");
  line.example("stack config --hash '*'", "a hash per service");
}

template <class Map>
std::string keys(const Map& map) {
  std::string text;
  for (const auto& [key, value] : map) text += key + "\n";
  return text;
}

std::string lines(const std::set<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += item + "\n";
  return text;
}

std::string profiles(const manifests::Stack& stack) {
  std::set<std::string> names;
  for (const auto* services : {&stack.services, &stack.disabled_services})
    for (const auto& [name, service] : *services)
      names.insert(service.profiles.begin(), service.profiles.end());
  return lines(names);
}

std::string images(const manifests::Stack& stack) {
  std::set<std::string> names;
  for (const auto& [name, service] : stack.services)
    names.insert(orchestrator::image_of(stack, service));
  return lines(names);
}

std::string hashes(const manifests::Stack& stack, const std::string& which) {
  std::string text;
  for (const auto& [name, service] : stack.services) {
    if (which != "*" && which != name) continue;
    const std::string fingerprint = manifests::service_fingerprint(service).dump();
    text += name + " " + image::Digest::of(fingerprint).hex() + "\n";
  }
  if (text.empty() && which != "*") throw os::Error("no such service: " + which);
  return text;
}

std::string chosen_text(const manifests::Loaded& loaded, const ConfigFlags& flags) {
  const manifests::Stack& stack = loaded.stack;
  if (flags.list_services) return keys(stack.services);
  if (flags.list_volumes) return keys(stack.volumes);
  if (flags.list_networks) return keys(stack.networks);
  if (flags.list_models) return keys(stack.models);
  if (flags.list_profiles) return profiles(stack);
  if (flags.list_images) return images(stack);
  if (!flags.hash.empty()) return hashes(stack, flags.hash);
  if (flags.environment) {
    std::string text;
    for (const auto& [name, value] : loaded.environment) text += name + "=" + value + "\n";
    return text;
  }
  if (flags.format == "json") return manifests::to_json_text(stack) + "\n";
  return manifests::to_yaml(stack);
}

void print_warnings(const std::vector<manifests::Diagnostic>& warnings) {
  for (const manifests::Diagnostic& warning : warnings) print_diagnostic(warning);
}

/// With variables left as written there is a model, but no stack.
std::string model_text(const manifests::LoadOptions& options, const ConfigFlags& flags) {
  const manifests::LoadedModel loaded = manifests::load_model(options);
  print_warnings(loaded.warnings);
  if (flags.format == "json") return manifests::json_text(manifests::to_json(loaded.model)) + "\n";
  return manifests::to_yaml(loaded.model);
}

}  // namespace

int config(Invocation& invocation) {
  ConfigFlags flags;
  declare(invocation.line, flags);
  if (!invocation.line.parse()) return 0;
  if (flags.format != "yaml" && flags.format != "json")
    throw UsageError("unsupported format \"" + flags.format + "\": use yaml or json");
  manifests::LoadOptions options = load_options(invocation);
  options.services = flags.services;
  options.interpolate = !flags.no_interpolate;
  options.normalize = !flags.no_normalize;
  options.resolve_paths = !flags.no_path_resolution;
  options.consistency = !flags.no_consistency;
  options.resolve_env = !flags.no_env_resolution;
  std::string text;
  const bool lists = flags.list_services || flags.list_volumes || flags.list_networks ||
                     flags.list_models || flags.list_profiles || flags.list_images ||
                     flags.environment || !flags.hash.empty();
  if (flags.no_interpolate && !lists) {
    text = model_text(options, flags);
  } else {
    options.interpolate = true;
    const manifests::Loaded loaded = manifests::load(options);
    print_warnings(loaded.warnings);
    text = chosen_text(loaded, flags);
  }
  if (flags.quiet) return 0;
  if (flags.output.empty())
    write_out(text);
  else
    os::write_file_atomic(flags.output, text, 0644);
  return 0;
}

}  // namespace cli
