// `doctor`: what a crash, a full disk or a bad one left behind, and putting it right.
#include <unistd.h>

#include <filesystem>

#include "orchestrator/cli/building.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/record.hpp"
#include "orchestrator/volumes.hpp"
#include "runtime/image/check.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace cli {

namespace {

using image::Finding;

/// What is younger may be somebody's who is just at it.
constexpr auto kSettled = std::chrono::seconds(2);

bool is_young(const std::string& path) {
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(path, error);
  return !error && std::filesystem::file_time_type::clock::now() - changed < kSettled;
}

/// "record.json.Ab3dE9": written beside its place and never renamed, by a command that is gone.
bool is_unfinished(const std::string& name) {
  const auto at = name.find(".json.");
  return at != std::string::npos && name.size() == at + 6 + 6 &&
         name.find('.', at + 6) == std::string::npos;
}

class Doctor {
 public:
  Doctor(const orchestrator::Paths& paths, bool repair) : paths_(paths), repair_(repair) {}

  void look_at_containers() {
    for (const std::string& id : os::list_directory(paths_.containers())) {
      const std::string directory = paths_.container(id);
      if (id.starts_with('.')) {
        remove(directory, "container " + id.substr(1) + " was being made or removed");
        continue;
      }
      remove_unfinished(directory);
      if (!os::exists(directory + "/record.json"))
        remove(directory, "container " + id + " has no record: it was never made");
    }
    std::vector<std::string> broken;
    const auto records = orchestrator::read_records(paths_, {}, &broken);
    for (const std::string& path : broken)
      found_.push_back({"the record of a container cannot be read: " + path, false,
                        "remove its directory; `stack up` makes it anew"});
    std::set<std::string> known;
    for (const auto& record : records) known.insert(record.short_id());
    for (const std::string& id : os::list_directory(paths_.run + "/containers"))
      if (!known.contains(id)) look_at_stray(id);
    for (const std::string& id : os::list_directory(paths_.run + "/bundles"))
      if (!known.contains(id))
        remove(paths_.run + "/bundles/" + id, "bundle of container " + id + ", which is gone");
    look_at_images(records);
  }

  void look_at_volumes() {
    const orchestrator::VolumeStore store(paths_.volumes());
    for (const std::string& name : os::list_directory(paths_.volumes())) {
      const std::string directory = paths_.volumes() + "/" + name;
      if (name.starts_with('.')) {
        continue;  // of the first use of a volume, which mends itself at the next one
      }
      remove_unfinished(directory);
      if (!os::exists(directory + "/volume.json")) {
        if (os::exists(directory + "/_data"))
          found_.push_back(
              {"volume " + name + " has data and no record", false,
               "`stack up` takes it up again under this name; or remove " + directory});
        else
          remove(directory, "volume " + name + " was never made");
      }
    }
  }

  void look_at_builds() {
    if (repair_)
      if (const std::size_t dead = sweep_dead_builds(paths_); dead > 0)
        found_.push_back({std::to_string(dead) + " builds that were killed", true, {}});
    for (const std::string& name : os::list_directory(paths_.cache()))
      if (name.starts_with("index.") || name.starts_with("tmp-"))
        remove(paths_.cache() + "/" + name, "unfinished file " + name);
  }

  void look_at_store(bool quick) {
    image::Store store(paths_.images());
    image::CheckOptions options;
    options.repair = repair_;
    options.read_blobs = !quick;
    for (Finding& finding : image::check_store(store, options))
      found_.push_back(std::move(finding));
  }

  int report() const {
    std::size_t open = 0;
    for (const Finding& finding : found_) {
      const char* state = !finding.repaired ? "problem" : repair_ ? "repaired" : "repairable";
      write_out(std::string(state) + ": " + finding.what +
                (finding.advice.empty() ? "" : "\n  " + finding.advice) + "\n");
      if (!finding.repaired || !repair_) ++open;
    }
    if (found_.empty()) write_out("all is well\n");
    return open == 0 ? 0 : 1;
  }

 private:
  void remove(const std::string& path, const std::string& what) {
    if (is_young(path)) return;
    found_.push_back({what, true, {}});
    if (repair_) os::remove_tree(path);
  }

  void remove_unfinished(const std::string& directory) {
    std::error_code error;
    if (!std::filesystem::is_directory(directory, error)) return;
    for (const std::string& name : os::list_directory(directory))
      if (is_unfinished(name)) remove(directory + "/" + name, "unfinished file " + name);
  }

  /// State of a container without a record: its monitor may still run.
  void look_at_stray(const std::string& id) {
    const std::string directory = paths_.container_run(id);
    const auto text = os::read_file_if_exists(directory + "/state.json");
    const auto state = nlohmann::json::parse(text.value_or("{}"), nullptr, false);
    if (state.is_object() && state.contains("monitor") && state["monitor"].is_object()) {
      const pid_t pid = state["monitor"].value("pid", 0);
      const auto start = state["monitor"].value("start_time", std::uint64_t{0});
      if (pid > 0 && os::Pidfd::open(os::ProcessIdentity{pid, start})) {
        found_.push_back(
            {"container " + id + " runs and nobody knows it (process " + std::to_string(pid) + ")",
             false, "end that process"});
        return;
      }
    }
    remove(directory, "state of container " + id + ", which is gone");
  }

  void look_at_images(const std::vector<orchestrator::ContainerRecord>& records) {
    const image::Store store(paths_.images());
    for (const auto& record : records) {
      if (record.image_id.empty()) continue;
      try {
        if (store.find(record.image_id)) continue;
      } catch (const os::Error&) {
        // What is wrong with it comes with the store.
      }
      found_.push_back({"container " + record.name + " uses image " + record.image +
                            ", which is gone or damaged",
                        false, "get the image and `stack up --force-recreate`"});
    }
  }

  const orchestrator::Paths& paths_;
  bool repair_;
  std::vector<Finding> found_;
};

}  // namespace

int doctor(Invocation& invocation) {
  bool dry_run = false;
  bool quick = false;
  CommandLine& line = invocation.line;
  line.flag("--dry-run", dry_run, "Only say what is wrong");
  line.flag("--quick", quick, "Do not read every image to its last byte");
  line.example("stack doctor", "look at everything, and put right what can be");
  if (!line.parse()) return 0;
  require_root(invocation);
  invocation.paths.make();
  Doctor doctor(invocation.paths, !dry_run && !invocation.globals.dry_run);
  doctor.look_at_builds();
  doctor.look_at_store(quick);
  doctor.look_at_containers();
  doctor.look_at_volumes();
  return doctor.report();
}

}  // namespace cli
