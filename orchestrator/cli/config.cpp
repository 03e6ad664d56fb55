#include <fcntl.h>

#include "manifests/explain.hpp"
#include "manifests/json_schema.hpp"
#include "manifests/print.hpp"
#include "manifests/report.hpp"
#include "manifests/variables.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/table.hpp"
#include "orchestrator/graph.hpp"
#include "orchestrator/planning.hpp"
#include "runtime/image/digest.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/store.hpp"
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
  bool variables = false;
  bool resolve_digests = false;
  bool lock_digests = false;
  bool origin = false;
  bool schema = false;
  std::string explain;
};

void declare(CommandLine& line, ConfigFlags& flags) {
  line.option("--format", flags.format, "FORMAT", "yaml or json");
  line.option("-o,--output", flags.output, "FILE", "Write to a file");
  line.flag("-q,--quiet", flags.quiet, "Only check");
  line.flag("--services", flags.list_services,
            "Print the names of services, each after what it depends on");
  line.flag("--volumes", flags.list_volumes, "Print the names of volumes");
  line.flag("--networks", flags.list_networks, "Print the names of networks");
  line.flag("--models", flags.list_models, "Print the names of models");
  line.flag("--profiles", flags.list_profiles, "Print the profiles there are");
  line.flag("--images", flags.list_images, "Print the images that are needed");
  line.option("--hash", flags.hash, "SERVICE|*", "Print what changes when a service changes");
  line.flag("--environment", flags.environment, "Print the variables that are put in");
  line.flag("--variables", flags.variables, "Print the variables that the files name");
  line.option("--explain", flags.explain, "VARIABLE",
              "Print where a variable may come from and which place wins");
  line.flag("--origin", flags.origin, "Write beside every value where it was written");
  line.flag("--schema", flags.schema, "Print the JSON Schema of what a file may say");
  line.flag("--resolve-image-digests", flags.resolve_digests,
            "Pin every image to what its name means now");
  line.flag("--lock-image-digests", flags.lock_digests,
            "Print a file that does so, to be given after the others");
  line.flag("--no-interpolate", flags.no_interpolate, "Leave variables as written");
  line.flag("--no-normalize", flags.no_normalize, "Do not complete the model");
  line.flag("--no-path-resolution", flags.no_path_resolution, "Leave paths as written");
  line.flag("--no-consistency", flags.no_consistency, "Do not check references");
  line.flag("--no-env-resolution", flags.no_env_resolution, "Do not read env_file");
  line.arguments("[SERVICE...]", flags.services);
  line.example("stack config", "the file as it is understood: merged, complete, absolute");
  line.example("stack config -q", "only tell whether it is right");
  line.example("stack config --hash '*'", "a hash per service");
  line.example("stack config --explain TAG", "why TAG is what it is");
  line.example("stack config --format json", "for programs; mistakes too, with their places");
}

/// As data: unlike the model itself, with nothing escaped for Go's sake.
std::string dumped(const manifests::Json& value) {
  return value.dump(2, ' ', false, manifests::Json::error_handler_t::replace) + "\n";
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

/// What the names of the images mean in the store of this machine, by service.
std::map<std::string, std::string> pinned_images(const manifests::Stack& stack,
                                                 const Invocation& invocation) {
  const image::Store store(invocation.paths.images());
  std::map<std::string, std::string> pinned;
  for (const auto& [name, service] : stack.services) {
    if (service.image.empty()) continue;
    image::Reference reference = image::Reference::parse(service.image);
    if (!reference.digest) {
      const auto found = store.find(service.image);
      if (!found)
        throw os::Error("service \"" + name + "\": image \"" + service.image +
                        "\" is not on this machine, so that its digest is unknown");
      reference.digest = found->manifest;
    }
    pinned.emplace(name, reference.familiar());
  }
  return pinned;
}

/// An override file with nothing but the images.
manifests::Stack lock_of(const std::map<std::string, std::string>& pinned) {
  manifests::Stack lock;
  for (const auto& [name, image] : pinned) {
    lock.services[name].name = name;
    lock.services[name].image = image;
  }
  return lock;
}

std::string variables_text(const manifests::LoadOptions& options, const ConfigFlags& flags) {
  manifests::LoadOptions as_written = options;
  as_written.interpolate = false;
  const auto summaries =
      manifests::summarize(manifests::variable_uses(manifests::load_model(as_written).model));
  if (flags.format == "json") {
    manifests::Json object = manifests::Json::object();
    for (const manifests::VariableSummary& summary : summaries)
      object[summary.name] = {{"Name", summary.name},
                              {"DefaultValue", summary.default_value},
                              {"PresenceValue", summary.alternate_value},
                              {"Required", summary.required}};
    return dumped(object);
  }
  Table table({"NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"});
  for (const manifests::VariableSummary& summary : summaries)
    table.add({summary.name, summary.required ? "true" : "false", summary.default_value,
               summary.alternate_value});
  return table.text();
}

std::string model_of(const manifests::Stack& stack, const ConfigFlags& flags) {
  const bool json = flags.format == "json";
  if (flags.origin)
    return json ? manifests::json_text(manifests::origins_json(stack)) + "\n"
                : manifests::to_yaml_with_origins(stack);
  return json ? manifests::to_json_text(stack) + "\n" : manifests::to_yaml(stack);
}

/// In the order in which they start; by name where unchecked references may close a cycle.
std::string service_names(const manifests::Stack& stack, const ConfigFlags& flags) {
  if (flags.no_consistency) return keys(stack.services);
  const auto graph = orchestrator::Graph::of(stack.services);
  std::string text;
  for (const std::string& name : graph.order()) text += name + "\n";
  return text;
}

std::string chosen_text(const manifests::Loaded& loaded, const ConfigFlags& flags) {
  const manifests::Stack& stack = loaded.stack;
  if (flags.list_services) return service_names(stack, flags);
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
  return model_of(stack, flags);
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

std::string stack_text(const manifests::LoadOptions& options, const ConfigFlags& flags,
                       const Invocation& invocation) {
  manifests::Loaded loaded = manifests::load(options);
  print_warnings(loaded.warnings);
  if (flags.quiet) return {};
  if (!flags.resolve_digests && !flags.lock_digests) return chosen_text(loaded, flags);
  const auto pinned = pinned_images(loaded.stack, invocation);
  if (flags.lock_digests) return model_of(lock_of(pinned), flags);
  for (const auto& [name, image] : pinned) loaded.stack.services.at(name).image = image;
  return chosen_text(loaded, flags);
}

std::string text_of(manifests::LoadOptions options, const ConfigFlags& flags,
                    const Invocation& invocation) {
  if (flags.schema) return dumped(manifests::json_schema());
  if (flags.variables) return variables_text(options, flags);
  const bool lists = flags.list_services || flags.list_volumes || flags.list_networks ||
                     flags.list_models || flags.list_profiles || flags.list_images ||
                     flags.environment || !flags.hash.empty() || !flags.explain.empty();
  if (!options.interpolate && !lists) return model_text(options, flags);
  options.interpolate = true;
  if (flags.explain.empty()) return stack_text(options, flags, invocation);
  const auto explanation = manifests::explain_variable(options, flags.explain);
  return flags.format == "json" ? dumped(manifests::to_json(explanation))
                                : manifests::to_text(explanation);
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
  try {
    text = text_of(std::move(options), flags, invocation);
  } catch (const manifests::InvalidManifest& invalid) {
    // For programs: the model, or what is wrong with it.
    if (flags.format == "json" && !flags.quiet)
      write_out(dumped(manifests::to_json(invalid.diagnostics())));
    throw;
  }
  if (flags.quiet) return 0;
  if (flags.output.empty())
    write_out(text);
  else
    os::write_file_atomic(flags.output, text, 0644);
  return 0;
}

}  // namespace cli
