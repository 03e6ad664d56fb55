#include "runtime/build/session.hpp"

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {

namespace {

constexpr std::string_view kImagePrefix = "docker-image://";

/// As people write it: without the tag that is meant anyway.
std::string short_name(const std::string& name) {
  std::string text = image::Reference::parse(name).familiar();
  constexpr std::string_view kLatest = ":latest";
  if (text.ends_with(kLatest)) text.resize(text.size() - kLatest.size());
  return text;
}

}  // namespace

Session::Session(image::Store& store, const BuildOptions& build_options, Cancel& build_cancel)
    : options(build_options),
      cancel(build_cancel),
      progress(*build_options.progress),
      workspace(store),
      index(build_options.data_directory + "/index"),
      slots(std::max(2U, std::thread::hardware_concurrency())),
      id(build_options.id),
      run(build_options.run_directory + "/" + id),
      started(std::chrono::system_clock::now()) {}

image::Timestamp Session::now() const {
  if (options.source_date_epoch)
    return image::Timestamp(std::chrono::seconds(*options.source_date_epoch));
  return std::chrono::system_clock::now();
}

const container::RuntimeFile& Session::runtime() {
  const std::lock_guard lock(mutex_);
  if (!runtime_) runtime_.emplace(options.runtime);
  return *runtime_;
}

void Session::note_cache_mount(const std::string& key) {
  const std::lock_guard lock(mutex_);
  cache_mounts_.insert(key);
}

std::set<std::string> Session::cache_mounts() {
  const std::lock_guard lock(mutex_);
  return cache_mounts_;
}

std::set<std::string> Session::context_names() const {
  std::set<std::string> names;
  for (const auto& [name, value] : options.contexts) names.insert(name);
  return names;
}

std::optional<image::Image> Session::find_suitable(const std::string& reference,
                                                   const std::optional<image::Platform>& platform) {
  auto image = workspace.store().find(reference);
  if (image && platform && !image::platform_rank(image->config.platform, *platform))
    return std::nullopt;
  return image;
}

void Session::pull(const std::string& reference, const std::optional<image::Platform>& platform) {
  if (!pulled_.insert(reference + " " + (platform ? platform->text() : "")).second) return;
  const std::size_t step = progress.begin("pull " + reference);
  try {
    options.pull(reference, platform, [&](const std::string& line) { progress.line(step, line); });
    progress.end(step, Progress::End::done);
  } catch (...) {
    progress.end(step, Progress::End::failed);
    throw;
  }
}

image::Image Session::find_image(const std::string& reference,
                                 const std::optional<image::Platform>& platform) {
  const bool always = options.always_pull && options.pull;
  if (!always)
    if (auto image = find_suitable(reference, platform)) return *std::move(image);
  const std::lock_guard lock(pulling_);
  std::string reason;
  try {
    if (options.pull && (always || !find_suitable(reference, platform))) pull(reference, platform);
  } catch (const os::Error& error) {
    if (always) throw;
    reason = std::string(" (") + error.what() + ")";
  }
  if (auto image = find_suitable(reference, platform)) return *std::move(image);
  std::vector<std::string> names;
  for (const image::Image& each : workspace.store().list())
    for (const std::string& name : each.names) names.push_back(short_name(name));
  const std::string near = nearest(reference, names);
  throw os::Error("no such image: " + reference + (platform ? " for " + platform->text() : "") +
                  (near.empty() ? "" : "; did you mean " + near + "?") + reason);
}

std::shared_ptr<SourceTree> Session::tree_of(const FetchedContext& context,
                                             const std::string& name) {
  return std::make_shared<SourceTree>(SourceTree{.stack = image::LayerStack({context.directory}),
                                                 .ignore = {},
                                                 .is_context = !context.has_owners,
                                                 .name = name});
}

std::shared_ptr<SourceTree> Session::open_context(const std::string& directory,
                                                  const std::string& name, bool main) {
  Ignore ignore;
  // The Dockerfile's own list wins over the context's.
  std::optional<std::string> text;
  std::string list;
  if (!options.dockerfile_text) {
    list = file_name + ".dockerignore";
    text = os::read_file_if_exists(
        (options.dockerfile.empty() ? options.context + "/Dockerfile" : options.dockerfile) +
            ".dockerignore",
        kMaxDockerfile);
  }
  if (!text) {
    list = directory + "/.dockerignore";
    const image::LayerStack stack({directory});
    text = stack.read_file(".dockerignore", kMaxDockerfile);
  }
  try {
    if (text) ignore = Ignore::parse(*text);
  } catch (const os::Error& error) {
    throw error.in(list);
  }
  return std::make_shared<SourceTree>(SourceTree{.stack = image::LayerStack({directory}),
                                                 .ignore = std::move(ignore),
                                                 .is_context = true,
                                                 .name = main ? "" : "context '" + name + "'"});
}

void Session::prepare_context() {
  main_context.directory = options.context;
  if (options.context.empty()) return;
  fetched = context_kind(options.context) != ContextKind::directory;
  if (fetched) main_context = fetch_context(*this, options.context);
}

std::shared_ptr<SourceTree> Session::context() {
  const std::lock_guard lock(mutex_);
  auto& tree = trees_[""];
  if (tree) return tree;
  if (options.context.empty()) throw os::Error("there is no build context to read from");
  tree = fetched ? tree_of(main_context, "") : open_context(options.context, "", true);
  return tree;
}

std::shared_ptr<SourceTree> Session::tree_of(const Origin& origin) {
  if (origin.kind == Origin::Kind::stage) {
    const StageResult& result = result_of(origin.stage);
    return std::make_shared<SourceTree>(
        SourceTree{.stack = image::LayerStack(workspace.directories(result.root)),
                   .ignore = {},
                   .is_context = false,
                   .name = "stage '" + origin.name + "'"});
  }
  std::string reference = origin.name;
  if (origin.kind == Origin::Kind::context) {
    const std::string& value = options.contexts.at(origin.name);
    if (!value.starts_with(kImagePrefix)) {
      const ContextKind kind = context_kind(value);
      if (kind == ContextKind::directory && value.find("://") != std::string::npos)
        throw os::Error("context '" + origin.name + "': '" + value +
                        "' is not supported yet: use a directory, git, http or docker-image://");
      const std::lock_guard lock(mutex_);
      auto& tree = trees_[origin.name];
      if (tree) return tree;
      tree = kind == ContextKind::directory
                 ? open_context(value, origin.name, false)
                 : tree_of(fetch_context(*this, value), "context '" + origin.name + "'");
      return tree;
    }
    reference = value.substr(kImagePrefix.size());
  }
  const image::Image image = find_image(reference);
  const Root root = workspace.root_of(image);
  return std::make_shared<SourceTree>(
      SourceTree{.stack = image::LayerStack(workspace.directories(root)),
                 .ignore = {},
                 .is_context = false,
                 .name = "image '" + reference + "'"});
}

Base find_base(Session& session, const Stage& stage) {
  Base base;
  switch (stage.base.kind) {
    case Origin::Kind::scratch:
      base.name = "scratch";
      base.result.config.platform = session.options.platform.value_or(image::host_platform());
      base.result.config.working_dir = "/";
      return base;
    case Origin::Kind::stage:
      base.name = stage.base.name;
      base.result = session.result_of(stage.base.stage);
      return base;
    case Origin::Kind::context: {
      const std::string& value = session.options.contexts.at(stage.base.name);
      if (!value.starts_with(kImagePrefix))
        throw os::Error("context '" + stage.base.name +
                        "' holds files and is no image to build from");
      base.name = value.substr(kImagePrefix.size());
      break;
    }
    case Origin::Kind::image:
      base.name = stage.base.name;
  }
  std::optional<image::Platform> platform = session.options.platform;
  if (!stage.platform.empty()) platform = image::parse_platform(stage.platform);
  const image::Image image = session.find_image(base.name, platform);
  base.result.root = session.workspace.root_of(image);
  base.result.config = image.config;
  return base;
}

}  // namespace build
