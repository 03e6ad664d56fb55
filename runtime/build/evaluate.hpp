// One stage, instruction by instruction: what each does to the configuration of the image, and what
// work it asks for. Pure: the work is only described.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/build/dockerfile.hpp"
#include "runtime/build/graph.hpp"
#include "runtime/build/run_mount.hpp"
#include "runtime/image/config.hpp"

namespace build {

/// A program to run in the file system of the stage.
struct RunStep {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  ///< "K=V", what counts for the cache
  std::vector<std::string> hidden;       ///< "K=V", what does not: proxies
  std::string user;
  std::string directory;
  std::vector<RunMount> mounts;
  std::string network = "default";   ///< default, none, host
  std::string security = "sandbox";  ///< sandbox, insecure
  std::vector<std::string> devices;
  std::string script_name;  ///< of a heredoc that is a program of its own (#!)
  std::string script;
};

/// A file whose content stands in the Dockerfile.
struct InlineFile {
  std::string name;
  std::string content;
};

/// Files to copy into the file system of the stage.
struct CopyStep {
  bool is_add = false;
  std::string from;                  ///< as written; empty: the build context
  std::vector<std::string> sources;  ///< expanded
  std::vector<InlineFile> files;
  std::string destination;  ///< absolute; ends in "/" where it must be a directory
  std::string chown;
  std::string chmod;
  bool link = false;
  bool parents = false;
  std::vector<std::string> excludes;
  std::string checksum;
  bool keep_git_directory = false;
  std::optional<bool> unpack;
};

/// A directory to make.
struct WorkdirStep {
  std::string path;
  std::string user;
};

/// What an instruction comes to.
struct Step {
  std::variant<std::monostate, RunStep, CopyStep, WorkdirStep> work;
  std::string created_by;  ///< for the history; empty: no entry
};

/// What of the surroundings a stage's instructions may depend on.
struct StageInput {
  std::map<std::string, std::string> build_args;
  std::map<std::string, std::string> global_args;  ///< Graph::global_args
  std::map<std::string, std::string> proxies;      ///< HTTP_PROXY …, in capitals
};

/// ARGs, in the order of their first lines; without a value: declared alone.
using Arguments = std::vector<std::pair<std::string, std::optional<std::string>>>;

/// A stage while it is evaluated.
class StageState {
 public:
  /// `config` is the base's; `inherited` the ARGs of the stage that this one is built FROM.
  StageState(image::ImageConfig config, const StageInput& input, char escape, Arguments inherited);

  /// Applies one instruction. Throws os::Error or ExpandError for what cannot be.
  Step apply(const Instruction& instruction);

  const image::ImageConfig& config() const noexcept { return config_; }
  image::ImageConfig& config() noexcept { return config_; }
  /// The value of a variable while building.
  std::optional<std::string> value(std::string_view name) const;
  /// The ARGs that count here, for stages built FROM this one.
  const Arguments& arguments() const noexcept { return arguments_; }

 private:
  std::string expanded(std::string_view text) const;
  void set(const std::string& name, const std::string& value);
  void declare(const std::string& name, const std::optional<std::string>& value);

  Step argument(const Instruction& instruction);
  Step environment(const Instruction& instruction);
  Step label(const Instruction& instruction);
  Step run(const Instruction& instruction);
  Step copy(const Instruction& instruction);
  Step workdir(const Instruction& instruction);
  Step command(const Instruction& instruction);
  Step entrypoint(const Instruction& instruction);
  Step expose(const Instruction& instruction);
  Step volume(const Instruction& instruction);
  Step healthcheck(const Instruction& instruction);
  Step simple(const Instruction& instruction);

  std::vector<std::string> in_shell(const std::string& text) const;
  std::vector<std::string> environment_of_run() const;

  image::ImageConfig config_;
  const StageInput& input_;
  char escape_;
  /// ENV and ARG in one list, the later line wins (name, value).
  std::vector<std::pair<std::string, std::string>> variables_;
  Arguments arguments_;
  bool command_given_ = false;
};

/// The names that are known without ARG and count nowhere: HTTP_PROXY …
const std::set<std::string>& proxy_names();

/// `path` under `directory`, cleaned; absolute. A trailing "/" stays.
std::string absolute_path(const std::string& directory, std::string_view path);

}  // namespace build
