#include "manifests/load.hpp"

#include <set>

#include "manifests/decode.hpp"
#include "manifests/model.hpp"
#include "manifests/no_effect.hpp"
#include "manifests/normalize.hpp"
#include "manifests/project.hpp"
#include "manifests/select.hpp"
#include "manifests/validate.hpp"

namespace manifests {

namespace {

/// Of the documents of all files, in order, what the project's name is looked for in.
std::vector<Node> naming_documents(ModelLoader& loader, const std::vector<std::string>& files) {
  std::vector<Node> documents;
  for (const std::string& file : files) {
    for (const Node& document : loader.documents(file)) {
      const Node* name = document.find("name");
      if (name == nullptr) continue;
      documents.push_back(Node::make_mapping(document.at));
      documents.back().set("name", *name);
    }
  }
  return documents;
}

/// The back half: what the model means, for the services that take part.
void complete(Stack& stack, const LoadOptions& options, const ProjectPlace& place,
              Diagnostics& diagnostics) {
  validate_resources(stack, diagnostics);
  diagnostics.tolerate_errors();
  if (options.normalize) normalize(stack, place.environment);
  resolve_contents(stack, place.environment);
  apply_profiles(stack, place.profiles);
  enable_named(stack, place.profiles, options.services, diagnostics);
  diagnostics.throw_if_errors();
  if (options.consistency) validate(stack, diagnostics);
  diagnostics.tolerate_errors();
  select_services(stack, options.services, true, diagnostics);
  if (options.resolve_env) resolve_environment(stack, place.environment, true, diagnostics);
  resolve_labels(stack, true, diagnostics);
  if (!options.all_resources) prune_unused_resources(stack);
  diagnostics.throw_if_any_errors();
}

/// Once per file is enough.
std::vector<Diagnostic> distinct_warnings(const Diagnostics& diagnostics) {
  std::vector<Diagnostic> warnings;
  std::set<std::pair<const Source*, std::string>> seen;
  for (const Diagnostic& diagnostic : diagnostics.all())
    if (seen.emplace(diagnostic.at.source.get(), diagnostic.message).second)
      warnings.push_back(diagnostic);
  return warnings;
}

/// What both ways of loading begin with.
struct Front {
  ProjectPlace place;
  std::string name;
  Node model;
};

Front load_front(const LoadOptions& options, Diagnostics& diagnostics) {
  Front front;
  ProjectPlace& place = front.place;
  place = find_project(options, diagnostics);
  if (place.files.empty())
    diagnostics.error({}, "no configuration file provided: not found").hint =
        "write a compose.yaml here, or name a file with -f";
  diagnostics.throw_if_errors();

  ModelLoader loader(options, diagnostics);
  front.name = project_name(options, place, naming_documents(loader, place.files), diagnostics);
  diagnostics.throw_if_errors();
  place.environment["COMPOSE_PROJECT_NAME"] = front.name;

  front.model = loader.load({.files = place.files,
                             .directory = place.directory,
                             .environment = place.environment,
                             .including = {}});
  if (front.model.entries.empty()) diagnostics.error({}, "empty compose file");
  if (front.name.empty())
    diagnostics.error({}, "project name must not be empty").hint = "name it with -p or `name:`";
  diagnostics.throw_if_errors();
  return front;
}

}  // namespace

Loaded load(const LoadOptions& options) {
  Diagnostics diagnostics;
  Front front = load_front(options, diagnostics);
  warn_of_no_effect(front.model, diagnostics);
  Stack stack = decode(std::move(front.model), diagnostics);
  diagnostics.tolerate_errors();
  stack.name = front.name;
  stack.working_directory = front.place.directory;
  stack.config_files = front.place.files;
  complete(stack, options, front.place, diagnostics);
  return {.stack = std::move(stack),
          .warnings = distinct_warnings(diagnostics),
          .files = std::move(front.place.files),
          .environment = std::move(front.place.environment),
          .directory = std::move(front.place.directory)};
}

LoadedModel load_model(const LoadOptions& options) {
  Diagnostics diagnostics;
  Front front = load_front(options, diagnostics);
  diagnostics.throw_if_any_errors();
  front.model.set("name", Node::make_string(front.name));
  return {.model = std::move(front.model), .warnings = distinct_warnings(diagnostics)};
}

}  // namespace manifests
