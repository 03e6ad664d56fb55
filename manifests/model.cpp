#include "manifests/model.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "manifests/canonical.hpp"
#include "manifests/document.hpp"
#include "manifests/environment.hpp"
#include "manifests/interpolate.hpp"
#include "manifests/merge.hpp"
#include "manifests/schema.hpp"

namespace manifests {

namespace {

constexpr std::size_t kMaxIncludes = 1000;

/// Two names of one file are one file.
std::string identity(const std::string& file) {
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(file, error);
  return error ? file : real.string();
}

void warn_of_version(Node& model, Diagnostics& diagnostics) {
  const auto version = std::find_if(model.entries.begin(), model.entries.end(),
                                    [](const Entry& entry) { return entry.key == "version"; });
  if (version == model.entries.end()) return;
  diagnostics.warning(version->key_at,
                      "the attribute `version` is obsolete, it will be ignored, please remove it "
                      "to avoid potential confusion");
  model.entries.erase(version);
}

/// Empty name servers say nothing; the reference drops them.
void drop_empty_name_servers(Node& model) {
  Node* services = model.find("services");
  if (services == nullptr) return;
  for (Entry& service : services->entries)
    if (Node* servers = service.value.find("dns"); servers != nullptr)
      std::erase_if(servers->items, [](const Node& item) {
        return item.is_null() || (item.is_scalar() && item.text.empty());
      });
}

/// Variables named without a value take that of the environment the file was included with.
void resolve_bare_variables(Node& model, const Variables& environment) {
  Node* services = model.find("services");
  if (services == nullptr) return;
  for (Entry& service : services->entries) {
    Node* variables = service.value.find("environment");
    if (variables == nullptr) continue;
    for (Node& item : variables->items)
      if (const auto found = environment.find(item.text);
          item.is_scalar() && found != environment.end())
        item.text += "=" + found->second;
  }
}

}  // namespace

std::string ModelLoader::shown(const std::string& file) const {
  const std::string inside = clean_path(options_.working_directory) + "/";
  return file.starts_with(inside) ? file.substr(inside.size()) : file;
}

PathBase ModelLoader::base_at(const std::string& directory) const {
  const auto home = options_.environment.find("HOME");
  return {.directory = directory, .home = home == options_.environment.end() ? "" : home->second};
}

std::shared_ptr<const Source> ModelLoader::read(const std::string& file) {
  const auto given_text = options_.texts.find(file);
  if (file == "-" || given_text != options_.texts.end()) {
    auto source = std::make_shared<Source>();
    source->name = file == "-" ? file : shown(file);
    source->text = file == "-" ? options_.stdin_text : given_text->second;
    return source;
  }
  // Only a file that the command line names may be a pipe.
  const bool named =
      std::any_of(options_.files.begin(), options_.files.end(), [&](const std::string& given) {
        return join_path(options_.working_directory, given) == file;
      });
  return read_source(file, shown(file), named ? FileKind::regular_or_pipe : FileKind::regular);
}

const std::vector<Node>& ModelLoader::documents(const std::string& file) {
  const auto known = documents_.find(file);
  if (known != documents_.end()) return known->second;
  try {
    return documents_[file] = parse_documents(read(file), &diagnostics_);
  } catch (const std::system_error& error) {
    diagnostics_.error({}, error.what());
    throw InvalidManifest(diagnostics_.all());
  }
}

Node ModelLoader::load(const ModelRequest& request) {
  Node model = Node::make_mapping();
  for (const std::string& file : request.files)
    for (const Node& document : documents(file)) add_document(model, document, file, request);
  set_defaults(model);
  if (options_.resolve_paths) resolve_paths(model, base_at(request.directory));
  return model;
}

void ModelLoader::add_document(Node& model, Node document, const std::string& file,
                               const ModelRequest& request) {
  const std::vector<TreePath> resets = take_merge_tags(document);
  if (options_.interpolate) {
    interpolate(document, lookup_in(request.environment), diagnostics_);
    diagnostics_.tolerate_errors();
  }
  apply_includes(document, resets, request);
  erase_paths(model, resets);
  extend_services(document, resets, file, request);
  diagnostics_.tolerate_errors();

  model = merge(std::move(model), std::move(document), {}, diagnostics_);
  unify(model);
  diagnostics_.tolerate_errors();
  if (!repair_schema(model, diagnostics_)) diagnostics_.throw_if_any_errors();
  diagnostics_.tolerate_errors();
  warn_of_version(model, diagnostics_);
  model = canonical(std::move(model), diagnostics_, !options_.interpolate);
  drop_empty_name_servers(model);
  // The long forms may reveal what the short ones hid: a port range that covers a port.
  unify(model);
  diagnostics_.tolerate_errors();
}

// ---------------------------------------------------------------- include

void ModelLoader::apply_includes(Node& document, const std::vector<TreePath>& resets,
                                 const ModelRequest& request) {
  const Node* includes = document.find("include");
  if (includes == nullptr) return;
  const std::vector<Include> items =
      read_includes(*includes, base_at(request.directory), diagnostics_);
  document.erase("include");
  diagnostics_.throw_if_errors();
  for (const Include& include : items)
    import_model(document, load_include(include, request), resets, diagnostics_);
}

Node ModelLoader::load_include(const Include& include, const ModelRequest& request) {
  ModelRequest inner{.files = include.files,
                     .directory = include.directory,
                     .environment = request.environment,
                     .including = request.including};
  inner.including.push_back(request.files.front());
  const std::string main = identity(include.files.front());
  const bool circle = std::any_of(inner.including.begin(), inner.including.end(),
                                  [&](const std::string& file) { return identity(file) == main; });
  if (circle) {
    std::string message = "include cycle detected:\n" + shown(inner.including.front());
    for (std::size_t i = 1; i < inner.including.size(); ++i)
      message += "\n include " + shown(inner.including[i]);
    diagnostics_.error(include.at, message + "\n include " + shown(include.files.front()));
  } else if (++includes_ > kMaxIncludes) {
    diagnostics_.error(include.at,
                       "more than " + std::to_string(kMaxIncludes) + " files are included");
  }
  diagnostics_.throw_if_errors();

  const std::vector<std::string> env_files =
      include.default_env_file ? default_env_files(include.directory) : include.env_files;
  add_env_files(env_files, FileKind::regular, inner.environment, diagnostics_);
  diagnostics_.throw_if_errors();
  Node model = load(inner);
  resolve_bare_variables(model, inner.environment);
  return model;
}

// ---------------------------------------------------------------- extends

void ModelLoader::extend_services(Node& document, const std::vector<TreePath>& resets,
                                  const std::string& file, const ModelRequest& request) {
  Node* services = document.find("services");
  if (services == nullptr || !services->is_mapping()) return;
  ServiceScope scope{.file = file == "-" ? file : identity(file),
                     .name = shown(file),
                     .services = std::move(*services),
                     .resets = resets};
  apply_extends(
      scope,
      [&](const std::string& path, const Position& at) { return base_scope(path, at, request); },
      diagnostics_);
  *services = std::move(scope.services);
}

/// The services of a file that is extended: interpolated, in long form, with absolute paths, but
/// neither complete nor checked, since only the result of the merge has to be.
ServiceScope* ModelLoader::base_scope(const std::string& path, const Position& at,
                                      const ModelRequest& request) {
  PathBase base = base_at(request.directory);
  const bool at_home = path.starts_with("~/") && !base.home.empty();
  const std::string file =
      at_home ? join_path(base.home, "." + path.substr(1)) : join_path(base.directory, path);
  std::unique_ptr<ServiceScope>& scope = bases_[request.directory + "\n" + file];
  if (scope) return scope.get();

  Node model = Node::make_mapping();
  std::vector<TreePath> resets;
  try {
    for (Node document : parse_documents(read(file), &diagnostics_)) {
      resets = take_merge_tags(document);
      if (options_.interpolate) interpolate(document, lookup_in(request.environment), diagnostics_);
      erase_paths(model, resets);
      model = merge(std::move(model), std::move(document), {}, diagnostics_);
      unify(model);
      model = canonical(std::move(model), diagnostics_, !options_.interpolate);
      unify(model);
    }
  } catch (const std::system_error& error) {
    diagnostics_.error(at, error.what());
    return nullptr;
  }
  Node* services = model.find("services");
  if (services == nullptr || !services->is_mapping()) {
    diagnostics_.error(
        at, shown(file) + (services ? ": services must be a mapping" : " has no services section"));
    return nullptr;
  }
  base.directory = parent_directory(file);
  if (!options_.resolve_paths)
    base.directory =
        std::filesystem::path(base.directory).lexically_relative(request.directory).string();
  resolve_paths(model, base);
  scope = std::make_unique<ServiceScope>(ServiceScope{.file = identity(file),
                                                      .name = shown(file),
                                                      .services = std::move(*services),
                                                      .resets = std::move(resets)});
  return scope.get();
}

}  // namespace manifests
