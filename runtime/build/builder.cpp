#include "runtime/build/builder.hpp"

#include <unistd.h>

#include <exception>

#include "runtime/build/cache_exchange.hpp"
#include "runtime/build/check.hpp"
#include "runtime/build/dockerignore.hpp"
#include "runtime/build/session.hpp"
#include "runtime/build/steps.hpp"
#include "runtime/container/cgroup.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace build {

namespace {

/// RUN/builds/ID.lock, beside the directory of a build.
constexpr std::string_view kLock = ".lock";

/// The stages while they run, each on a thread of its own, each once.
class StageTable {
 public:
  explicit StageTable(Session& session)
      : session_(session), futures_(session.graph.stages.size()) {}
  ~StageTable() { join(); }
  StageTable(const StageTable&) = delete;
  StageTable& operator=(const StageTable&) = delete;

  const StageResult& result_of(std::size_t index) { return start(index).get(); }

  /// Waits for all; throws what failed first.
  void join() {
    for (;;) {
      std::thread thread;
      {
        const std::lock_guard lock(mutex_);
        if (threads_.empty()) return;
        thread = std::move(threads_.back());
        threads_.pop_back();
      }
      thread.join();
    }
  }
  void throw_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

  std::shared_future<StageResult> start(std::size_t index) {
    const std::lock_guard lock(mutex_);
    if (futures_[index].valid()) return futures_[index];
    std::packaged_task<StageResult()> task([this, index] { return run(index); });
    futures_[index] = task.get_future().share();
    threads_.emplace_back(std::move(task));
    return futures_[index];
  }

 private:
  StageResult run(std::size_t index) {
    try {
      session_.cancel.check();
      return run_stage(session_, session_.graph.stages[index]);
    } catch (...) {
      {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
      }
      session_.cancel.request();
      throw;
    }
  }

  Session& session_;
  std::mutex mutex_;
  std::vector<std::shared_future<StageResult>> futures_;
  std::vector<std::thread> threads_;
  std::exception_ptr failure_;
};

std::string read_dockerfile(const Session& session, std::string& name) {
  const BuildOptions& options = session.options;
  if (options.dockerfile_text || session.main_context.dockerfile) {
    name = options.dockerfile.empty() ? "Dockerfile" : options.dockerfile;
    return options.dockerfile_text ? *options.dockerfile_text : *session.main_context.dockerfile;
  }
  if (!options.dockerfile.empty() && session.fetched) {
    name = options.dockerfile;
    const image::LayerStack context({session.main_context.directory});
    if (auto text = context.read_file(clean_relative(name), kMaxDockerfile))
      return *std::move(text);
    throw os::Error("there is no file '" + name + "' in the build context");
  }
  if (!options.dockerfile.empty()) {
    name = options.dockerfile;
    return os::read_file(options.dockerfile, kMaxDockerfile);
  }
  // By descriptors: a link in a foreign context leads nowhere else.
  const image::LayerStack context({session.main_context.directory});
  for (const char* each : {"Dockerfile", "dockerfile"}) {
    name = each;
    if (auto text = context.read_file(each, kMaxDockerfile)) return *std::move(text);
  }
  throw os::Error("there is no Dockerfile in '" + options.context +
                  "': write one, or name another file with -f");
}

void set_epoch(const Session& session, BuildOptions& options) {
  if (!session.main_context.time)
    throw os::Error("SOURCE_DATE_EPOCH is 'context', and the build context is no git repository");
  options.source_date_epoch = session.main_context.time;
  const auto argument = options.arguments.find("SOURCE_DATE_EPOCH");
  if (argument != options.arguments.end())
    argument->second = std::to_string(*session.main_context.time);
}

void set_stage_input(Session& session) {
  StageInput& input = session.stage_input;
  input.global_args = session.graph.global_args;
  for (const auto& [name, value] : session.options.arguments) {
    input.build_args[name] = value;
    std::string upper = name;
    for (char& c : upper)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (proxy_names().contains(upper) && !session.graph.declared_args.contains(name))
      input.proxies[upper] = value;
  }
}

/// Arguments that no ARG asks for are likely a slip.
void warn_of_unused(const Session& session) {
  for (const auto& [name, value] : session.options.arguments) {
    std::string upper = name;
    for (char& c : upper)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (session.graph.declared_args.contains(name) || proxy_names().contains(upper) ||
        session.graph.global_args.contains(name) || name.starts_with("BUILDKIT_") ||
        name == "SOURCE_DATE_EPOCH")
      continue;
    const std::vector<std::string> known(session.graph.declared_args.begin(),
                                         session.graph.declared_args.end());
    const std::string hint = did_you_mean(name, known);
    session.progress.note("warning: no ARG asks for the build argument " + name +
                          (hint.empty() ? "" : "; " + hint));
  }
}

void read_file(Session& session) {
  const BuildOptions& options = session.options;
  session.file = parse_dockerfile(read_dockerfile(session, session.file_name));
  check_dockerfile(session.file);
  const std::string& text = session.file.text;
  if (session.file.mistakes.empty()) {
    const GraphInput input{.target = options.target,
                           .build_args = options.arguments,
                           .contexts = session.context_names(),
                           .build_platform = image::host_platform(),
                           .target_platform = options.platform.value_or(image::host_platform())};
    session.graph = make_graph(session.file, input, session.file.mistakes);
  }
  for (const Mistake& warning : session.file.warnings)
    session.progress.note(render(warning, session.file_name, text, false));
  if (!session.file.mistakes.empty())
    throw InvalidDockerfile(session.file.mistakes, session.file_name, text);
}

BuildResult finish(Session& session, const StageResult& target) {
  image::ImageConfig config = target.config;
  for (const auto& [name, value] : session.options.labels) config.labels[name] = value;
  if (!config.created) config.created = session.now();
  const image::Descriptor manifest =
      session.workspace.add_image(target.root, std::move(config), session.options.names);
  session.workspace.commit();
  const auto image = session.workspace.store().find(manifest.digest.text());
  if (!image) throw os::Error("the image was removed right after it was built");
  return {.id = image->id, .manifest = manifest.digest};
}

}  // namespace

Presence::Presence(const std::string& run_directory, const std::string& id)
    : directory_(run_directory + "/" + id), alive_([&] {
        os::make_directories(run_directory, 0700);
        return os::FileLock::acquire(directory_ + std::string(kLock));
      }()) {
  os::make_directories(directory_, 0700);
}

Presence::~Presence() {
  try {
    os::remove_tree(directory_);
    ::unlink((directory_ + std::string(kLock)).c_str());
  } catch (const os::Error&) {
    // The next build sweeps what is left.
  }
}

BuildResult build_image(image::Store& store, const BuildOptions& given, Cancel& cancel) {
  BuildOptions options = given;
  os::make_directories(options.data_directory, 0700);
  Session session(store, options, cancel);
  session.prepare_context();
  if (options.epoch_of_context) set_epoch(session, options);
  read_file(session);
  set_stage_input(session);
  open_shared_caches(session);
  warn_of_unused(session);
  StageTable stages(session);
  session.result_of = [&](std::size_t index) -> const StageResult& {
    return stages.result_of(index);
  };
  for (const std::size_t index : session.graph.needed) stages.start(index);
  stages.join();
  session.index.save();
  try {
    stages.throw_failure();
  } catch (...) {
    session.workspace.commit();  // what was made stays made
    throw;
  }
  BuildResult result = finish(session, stages.result_of(session.graph.target));
  write_shared_caches(session);
  return result;
}

namespace {

/// They end with the build that started them, but not before it.
void wait_for_runtimes(const std::string& state) {
  for (int tried = 0; tried < 100; ++tried) {
    bool found = false;
    for (const std::string& pid : os::list_directory("/proc")) {
      if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
      try {
        const std::string words = os::read_file_if_exists("/proc/" + pid + "/cmdline").value_or("");
        found |= words.starts_with("stack-runtime") && words.find(state) != std::string::npos;
      } catch (const os::Error&) {
        // It has just ended.
      }
    }
    if (!found) return;
    ::usleep(10'000);
  }
}

}  // namespace

std::size_t sweep_builds(const std::string& run_directory, const std::string& runtime,
                         const std::function<void(const std::string& build)>& discard) {
  const auto cgroups = container::CgroupLayout::detect();
  std::size_t swept = 0;
  for (const std::string& name : os::list_directory(run_directory)) {
    if (!name.ends_with(kLock)) continue;
    const std::string id = name.substr(0, name.size() - kLock.size());
    const std::string directory = run_directory + "/" + id;
    const auto dead = os::FileLock::try_acquire(run_directory + "/" + name);
    if (!dead) continue;
    try {
      wait_for_runtimes(directory + "/state");
      for (const std::string& container : os::list_directory(directory + "/state")) {
        os::SpawnOptions options{.executable = runtime,
                                 .arguments = {"stack-runtime", "--root", directory + "/state",
                                               "delete", "--force", container}};
        os::spawn(options).wait();
        // One that was killed before it wrote anything down has a group all the same.
        container::remove_cgroup_parent(cgroups, step_cgroup(container));
      }
      container::remove_cgroup_parent(cgroups, kCgroup);
      discard(id);
      os::remove_tree(directory);
      ::unlink((run_directory + "/" + name).c_str());
      ++swept;
    } catch (const os::Error&) {
      // What is left of it must not keep others from building; the next sweep tries again.
    }
  }
  return swept;
}

}  // namespace build
