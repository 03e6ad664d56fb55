// What all stages of one build share.
#pragma once

#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/build/cancel.hpp"
#include "runtime/build/content_key.hpp"
#include "runtime/build/context.hpp"
#include "runtime/build/dockerfile.hpp"
#include "runtime/build/evaluate.hpp"
#include "runtime/build/file_index.hpp"
#include "runtime/build/graph.hpp"
#include "runtime/build/options.hpp"
#include "runtime/build/source_tree.hpp"
#include "runtime/build/workspace.hpp"
#include "runtime/container/runtime_file.hpp"

namespace build {

/// What a stage came to.
struct StageResult {
  Root root;
  image::ImageConfig config;
  Arguments arguments;
};

/// How many steps may work at once.
class Slots {
 public:
  explicit Slots(unsigned count) : free_(count) {}
  class Held {
   public:
    explicit Held(Slots& slots) : slots_(slots) {
      std::unique_lock lock(slots.mutex_);
      slots.freed_.wait(lock, [&] { return slots.free_ > 0; });
      --slots.free_;
    }
    ~Held() {
      {
        const std::lock_guard lock(slots_.mutex_);
        ++slots_.free_;
      }
      slots_.freed_.notify_one();
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    Slots& slots_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  unsigned free_;
};

struct Session {
  Session(image::Store& store, const BuildOptions& build_options, Cancel& build_cancel);

  const BuildOptions& options;
  Cancel& cancel;
  Progress& progress;
  Workspace workspace;
  FileIndex index;
  Slots slots;
  Dockerfile file;
  std::string file_name;        ///< for messages
  FetchedContext main_context;  ///< where it is
  bool fetched = false;         ///< it lay elsewhere: no .dockerignore counts
  Graph graph;
  StageInput stage_input;
  std::string id;   ///< of this build
  std::string run;  ///< its own directory below the run directory
  image::Timestamp started;
  /// The stage's result, which may have to be waited for. Throws what it failed with.
  std::function<const StageResult&(std::size_t stage)> result_of;

  /// The time that new files and history entries have.
  image::Timestamp now() const;
  /// A name from FROM, --from or a mount: a file system to read from.
  std::shared_ptr<SourceTree> tree_of(const Origin& origin);
  std::shared_ptr<SourceTree> context();
  /// Fetches the main context when it is no directory; before all else.
  void prepare_context();
  /// An image of the store, pulled when it is missing, or is for another platform than the one
  /// that FROM asks for. Throws os::Error.
  image::Image find_image(const std::string& reference,
                          const std::optional<image::Platform>& platform = {});
  std::set<std::string> context_names() const;
  /// What to start for a step; made when the first one asks.
  const container::RuntimeFile& runtime();
  /// The keys of all cache mounts that steps name, run or not.
  void note_cache_mount(const std::string& key);
  std::set<std::string> cache_mounts();

 private:
  /// What was fetched: nothing of it is ignored.
  static std::shared_ptr<SourceTree> tree_of(const FetchedContext& context,
                                             const std::string& name);
  std::shared_ptr<SourceTree> open_context(const std::string& directory, const std::string& name,
                                           bool main);
  std::optional<image::Image> find_suitable(const std::string& reference,
                                            const std::optional<image::Platform>& platform);
  void pull(const std::string& reference, const std::optional<image::Platform>& platform);
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<SourceTree>> trees_;
  std::set<std::string> cache_mounts_;
  std::optional<container::RuntimeFile> runtime_;
  std::mutex pulling_;
  std::set<std::string> pulled_;  ///< nothing is looked for twice in a build
};

/// The root file system of an origin and what it is called, for FROM.
struct Base {
  StageResult result;
  std::string name;
};
Base find_base(Session& session, const Stage& stage);

/// Runs one stage to its end.
StageResult run_stage(Session& session, const Stage& stage);

}  // namespace build
