#include "manifests/environment.hpp"

#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

namespace manifests {

Lookup lookup_in(const Variables& variables) {
  return [&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

void add_env_files(const std::vector<std::string>& files, FileKind kind, Variables& environment,
                   Diagnostics& diagnostics) {
  Variables read;
  for (const std::string& file : files) {
    try {
      parse_env_file(read_source(file, {}, kind), EnvFormat::dotenv, lookup_in(environment), read,
                     diagnostics);
    } catch (const std::system_error& error) {
      const bool missing = error.code().value() == ENOENT;
      diagnostics.error({}, missing ? "couldn't find env file: " + file : error.what());
    }
  }
  environment.merge(read);
}

std::vector<std::string> default_env_files(const std::string& directory) {
  const std::string file = (directory == "/" ? "" : directory) + "/.env";
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (error || !std::filesystem::exists(status) || std::filesystem::is_directory(status)) return {};
  return {file};
}

bool default_env_files_disabled(const Variables& environment, Diagnostics& diagnostics) {
  const auto found = environment.find("COMPOSE_DISABLE_ENV_FILE");
  if (found == environment.end()) return false;
  static const std::set<std::string, std::less<>> kTrue = {"1", "t", "T", "true", "TRUE", "True"};
  static const std::set<std::string, std::less<>> kFalse = {"0",     "f",     "F",
                                                            "false", "FALSE", "False"};
  if (kTrue.contains(found->second)) return true;
  if (!kFalse.contains(found->second))
    diagnostics.error({}, found->first + "=" + found->second + " is not a boolean").hint =
        "use 1 or 0";
  return false;
}

}  // namespace manifests
