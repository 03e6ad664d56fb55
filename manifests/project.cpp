#include "manifests/project.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "manifests/environment.hpp"
#include "manifests/interpolate.hpp"
#include "manifests/paths.hpp"

namespace manifests {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kFileNames = {"compose.yaml", "compose.yml", "docker-compose.yml",
                                             "docker-compose.yaml"};
const std::vector<std::string> kOverrideFileNames = {
    "compose.override.yml", "compose.override.yaml", "docker-compose.override.yml",
    "docker-compose.override.yaml"};

std::string value_of(const Variables& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return parts;
    begin = end + separator.size();
  }
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

class Finder {
 public:
  Finder(const LoadOptions& options, Diagnostics& diagnostics)
      : options_(options), diagnostics_(diagnostics) {}

  ProjectPlace find() {
    place_.environment = options_.environment;
    place_.environment.emplace("PWD", options_.working_directory);
    for (const std::string& file : options_.files) place_.files.push_back(absolute(file));
    for (const std::string& file : named_env_files()) env_files_.push_back(absolute(file));

    // The environment file beside the command may say where the Compose file is; the one beside
    // the Compose file then fills the gaps.
    add_environment();
    if (place_.files.empty()) take_files_from_environment();
    if (place_.files.empty()) search();
    place_.directory = directory();
    if (env_files_.empty() && !diagnostics_.has_errors()) add_environment();

    place_.profiles = options_.profiles;
    if (place_.profiles.empty())
      for (const std::string& profile :
           split(value_of(place_.environment, "COMPOSE_PROFILES"), ","))
        if (!trimmed(profile).empty()) place_.profiles.push_back(trimmed(profile));
    return std::move(place_);
  }

 private:
  std::string absolute(const std::string& path) const {
    return path == "-" ? path : join_path(options_.working_directory, path);
  }

  std::vector<std::string> named_env_files() const {
    if (!options_.env_files.empty()) return options_.env_files;
    const std::string listed = value_of(options_.environment, "COMPOSE_ENV_FILES");
    return listed.empty() ? std::vector<std::string>{} : split(listed, ",");
  }

  std::string directory() const {
    if (options_.project_directory && !options_.project_directory->empty())
      return absolute(*options_.project_directory);
    for (const std::string& file : place_.files)
      if (file != "-") return parent_directory(file);
    return clean_path(options_.working_directory);
  }

  void add_environment() {
    if (!env_files_.empty())
      add(env_files_, FileKind::regular_or_pipe);
    else if (!default_env_files_disabled(options_.environment, diagnostics_))
      add(default_env_files(directory()), FileKind::regular);
  }

  void add(const std::vector<std::string>& files, FileKind kind) {
    add_env_files(files, kind, place_.environment, diagnostics_);
    for (auto file = files.rbegin(); file != files.rend(); ++file)
      if (std::find(place_.env_files.begin(), place_.env_files.end(), *file) ==
          place_.env_files.end())
        place_.env_files.push_back(*file);
  }

  void take_files_from_environment() {
    const auto listed = place_.environment.find("COMPOSE_FILE");
    if (listed == place_.environment.end()) return;
    std::string separator = value_of(place_.environment, "COMPOSE_PATH_SEPARATOR");
    if (separator.empty()) separator = ":";
    for (const std::string& file : split(listed->second, separator))
      place_.files.push_back(absolute(file));
  }

  void search() {
    for (std::string folder = directory();; folder = parent_directory(folder)) {
      if (take_first_of(kFileNames, folder, "config")) {
        take_first_of(kOverrideFileNames, folder, "override");
        return;
      }
      if (folder == "/") return;
    }
  }

  bool take_first_of(const std::vector<std::string>& names, const std::string& folder,
                     const std::string& kind) {
    std::vector<std::string> found;
    for (const std::string& name : names) {
      std::error_code error;
      const std::string file = join_path(folder, name);
      if (fs::exists(file, error) && !error) found.push_back(file);
    }
    if (found.empty()) return false;
    if (found.size() > 1) {
      diagnostics_.warning(
          {}, "Found multiple " + kind + " files with supported names: " + joined(found));
      diagnostics_.warning({}, "Using " + found.front());
    }
    place_.files.push_back(found.front());
    return true;
  }

  const LoadOptions& options_;
  Diagnostics& diagnostics_;
  ProjectPlace place_;
  std::vector<std::string> env_files_;
};

std::string base_name(const std::string& path) { return fs::path(path).filename().string(); }

/// A name that somebody gave must be right as it is.
std::string checked(const std::string& name, Diagnostics& diagnostics) {
  if (normalize_project_name(name) == name) return name;
  diagnostics
      .error({}, "invalid project name \"" + name +
                     "\": must consist only of lowercase alphanumeric characters, hyphens, and "
                     "underscores as well as start with a letter or number")
      .hint = "use \"" + normalize_project_name(name) + "\"";
  return name;
}

std::string directory_name(const std::string& directory, Diagnostics& diagnostics) {
  const std::string name = base_name(directory);
  std::error_code error;
  const fs::path real = fs::canonical(directory, error);
  if (!error && real.filename() != name)
    diagnostics.warning({},
                        "project has been loaded without an explicit name from a symlink. Using "
                        "name \"" +
                            name + "\"");
  return normalize_project_name(name);
}

}  // namespace

ProjectPlace find_project(const LoadOptions& options, Diagnostics& diagnostics) {
  return Finder(options, diagnostics).find();
}

std::string normalize_project_name(const std::string& name) {
  std::string normal;
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool inner = (c == '_' || c == '-') && !normal.empty();
    if (letter_or_digit || inner) normal += c;
  }
  return normal;
}

std::string project_name(const LoadOptions& options, const ProjectPlace& place,
                         const std::vector<Node>& documents, Diagnostics& diagnostics) {
  if (options.project_name && !options.project_name->empty())
    return checked(*options.project_name, diagnostics);
  const std::string from_environment = value_of(place.environment, "COMPOSE_PROJECT_NAME");
  if (!from_environment.empty()) return checked(from_environment, diagnostics);

  const Node* named = nullptr;
  for (const Node& document : documents) {
    const Node* name = document.find("name");
    if (name != nullptr && name->is_scalar() && !name->text.empty()) named = name;
  }
  if (named == nullptr) return directory_name(place.directory, diagnostics);
  Node name = *named;
  if (options.interpolate) {
    Diagnostics reported_with_the_model;
    interpolate(name, lookup_in(place.environment), reported_with_the_model);
  }
  const std::string normal = normalize_project_name(name.text);
  if (normal.empty()) diagnostics.error(named->at, "project name must not be empty");
  return normal;
}

}  // namespace manifests
