#include "orchestrator/cli/bundle.hpp"

#include "manifests/print.hpp"
#include "orchestrator/cli/building.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/image_policy.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/registry_session.hpp"
#include "orchestrator/cli/space.hpp"
#include "orchestrator/planning.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/save.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace cli {

namespace {

constexpr const char* kFile = "compose.yaml";
constexpr std::size_t kMaxFile = 64U << 20;
constexpr std::size_t kMaxConfig = 1U << 20;

bool is_text(const std::string& bytes) {
  if (bytes.find('\0') != std::string::npos) return false;
  // A dump of what is no UTF-8 throws.
  try {
    static_cast<void>(nlohmann::json(bytes).dump());
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

/// A path below the project's directory, as it is written in a file there.
std::string relative_to(const std::string& directory, const std::string& path) {
  if (path == directory) return ".";
  if (!path.starts_with(directory + "/")) return path;
  return "./" + path.substr(directory.size() + 1);
}

void take_configs_in(manifests::Stack& stack) {
  for (auto& [name, config] : stack.configs) {
    if (config.external) continue;
    if (!config.file.empty()) {
      config.content = os::read_file(config.file, kMaxConfig);
      if (!is_text(*config.content))
        throw os::Error("config \"" + name + "\": '" + config.file +
                        "' is no text, and a bundle can hold only text");
      config.file.clear();
    }
    if (config.content) config.environment.clear();
  }
}

/// The images that the bundle holds, by the name in the file, with who needs them.
std::map<std::string, std::string> needed_images(const manifests::Stack& stack) {
  std::map<std::string, std::string> needed;
  for (const auto& [name, service] : stack.services) {
    needed.emplace(orchestrator::image_of(stack, service), name);
    for (const manifests::Mount& mount : service.volumes)
      if (mount.type == manifests::MountType::image && !stack.services.contains(mount.source))
        needed.emplace(mount.source, name);
  }
  return needed;
}

std::vector<image::SavedImage> find_images(const image::Store& store,
                                           const manifests::Stack& stack) {
  std::vector<image::SavedImage> images;
  std::string missing;
  for (const auto& [reference, service] : needed_images(stack)) {
    auto image = store.find(reference);
    if (!image) {
      missing += (missing.empty() ? "" : ", ") + service + " needs " + reference;
      continue;
    }
    const image::Reference parsed = image::Reference::parse(reference);
    images.push_back(
        {*std::move(image),
         {parsed.digest ? parsed.repository() + "@" + parsed.digest->text() : parsed.text()}});
  }
  if (!missing.empty()) throw os::Error("no such image: " + missing);
  return images;
}

}  // namespace

std::string bundled_file(manifests::Stack stack, std::vector<std::string>& left_out) {
  take_configs_in(stack);
  const std::string directory = stack.working_directory;
  for (auto& [name, secret] : stack.secrets) {
    if (secret.file.empty()) continue;
    secret.file = relative_to(directory, secret.file);
    left_out.push_back("secret \"" + name + "\" (" + secret.file + ")");
  }
  for (auto& [name, service] : stack.services) {
    service.image = orchestrator::image_of(stack, service);
    service.build.reset();
    service.develop.reset();
    if (service.pull_policy == "build") service.pull_policy.clear();
    for (manifests::Mount& mount : service.volumes) {
      if (mount.type != manifests::MountType::bind) continue;
      mount.source = relative_to(directory, mount.source);
      left_out.push_back("bind mount " + mount.source + " of service \"" + name + "\"");
    }
  }
  return manifests::to_yaml(stack);
}

void open_bundle(Invocation& invocation, const std::string& path) {
  std::optional<std::string> file;
  try {
    file = image::read_first_file(path, kFile, kMaxFile);
  } catch (const os::Error& error) {
    throw error.in("'" + path + "' is no bundle");
  }
  if (!file) throw os::Error("'" + path + "' is no bundle: it does not begin with " + kFile);
  if (!invocation.globals.files.empty()) throw UsageError("--bundle and --file are incompatible");
  invocation.paths.make();
  image::Store store(invocation.paths.images());
  store.load(path);
  invocation.globals.bundled_file = *std::move(file);
}

int bundle(Invocation& invocation) {
  std::vector<std::string> words;
  bool offline = false;
  bool quiet = false;
  CommandLine& line = invocation.line;
  line.flag("--offline", offline, "Do not fetch or build images that are missing");
  line.flag("-q,--quiet", quiet, "No progress, no warnings");
  line.arguments("FILE", words, 1, 1);
  line.example("stack bundle shop.tar", "the stack, its configs and its images in one file");
  line.example("stack up -d --bundle shop.tar", "run it on a machine without network");
  if (!line.parse()) return 0;
  require_root(invocation);
  const manifests::Stack stack = load_stack(invocation, {});
  std::set<std::string> services;
  for (const auto& [name, service] : stack.services) services.insert(name);
  ServicePull options;
  options.quiet = quiet;
  options.override_policy = offline ? "never" : "missing";
  if (!pull_services(invocation, stack, services, options)) return 1;
  if (!offline && !build_for_up(invocation, stack, services, false, quiet ? "quiet" : "auto"))
    return kInterrupted;
  const image::Store store(invocation.paths.images());
  const os::FileLock claim = store.claim();
  const std::vector<image::SavedImage> images = find_images(store, stack);
  std::vector<std::string> left_out;
  const std::string file = bundled_file(stack, left_out);
  write_beside(words.front(), [&](int fd) { save_images(store, images, fd, {{kFile, file}}); });
  for (const std::string& what : left_out)
    if (!quiet) print_warning(what + " is not in the bundle");
  return 0;
}

}  // namespace cli
