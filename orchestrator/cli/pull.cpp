// `pull` and `push`: images by name, or those of the project's services.
#include <exception>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/image_policy.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/registry_session.hpp"
#include "orchestrator/planning.hpp"
#include "runtime/image/push.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

/// What cannot be a service: a name with a registry, a tag or a digest.
bool is_image_name(const std::string& word) {
  return word.find_first_of("/:@") != std::string::npos;
}

struct Targets {
  std::vector<std::string> images;
  std::vector<std::string> services;
  std::optional<manifests::Stack> stack;
};

/// Words with '/', ':' or '@' are images; others are services, where there is a project.
Targets find_targets(const Invocation& invocation, const std::vector<std::string>& words) {
  Targets targets;
  for (const std::string& word : words)
    (is_image_name(word) ? targets.images : targets.services).push_back(word);
  if (targets.services.empty() && !targets.images.empty()) return targets;
  try {
    targets.stack = load_stack(invocation, targets.services);
  } catch (const manifests::InvalidManifest&) {
    const bool asked = !invocation.globals.files.empty() || targets.services.empty();
    if (asked || has_project_files(invocation)) throw;
    targets.images.insert(targets.images.end(), targets.services.begin(), targets.services.end());
    targets.services.clear();
  }
  return targets;
}

/// Runs `work` for each and tells every failure; whether all went well.
template <class Work>
bool for_each(const std::vector<std::string>& names, bool ignore, const Work& work) {
  bool good = true;
  for (const std::string& name : names) {
    try {
      work(name);
    } catch (const os::Error& error) {
      if (ignore) {
        print_warning(error.what());
      } else {
        print_error(error.what());
        good = false;
      }
    }
  }
  return good;
}

}  // namespace

int pull(Invocation& invocation) {
  std::vector<std::string> words;
  std::string platform;
  std::string policy;
  bool quiet = false;
  bool ignore_failures = false;
  bool ignore_buildable = false;
  bool include_dependencies = false;
  CommandLine& line = invocation.line;
  line.flag("-q,--quiet", quiet, "No progress");
  line.option("--platform", platform, "OS/ARCH", "Of an image for many, which; the host's");
  line.option("--policy", policy, "POLICY", "missing or always (the default)");
  line.flag("--ignore-pull-failures", ignore_failures, "Go on when an image cannot be had");
  line.flag("--ignore-buildable", ignore_buildable, "Leave out services that can be built");
  line.flag("--include-deps", include_dependencies, "Also what the services depend on");
  line.arguments("[SERVICE|IMAGE...]", words);
  line.example("stack pull", "the images of all services");
  line.example("stack pull web", "the image of a service");
  line.example("stack pull localhost:5000/shop:1", "an image by its name");
  if (!line.parse()) return 0;
  if (!policy.empty() && policy != "missing" && policy != "always")
    throw UsageError("invalid --policy \"" + policy + "\": use missing or always");
  require_root(invocation);
  invocation.paths.make();
  image::Store store(invocation.paths.images());
  const Targets targets = find_targets(invocation, words);
  std::optional<image::Platform> wanted;
  if (!platform.empty()) wanted = image::parse_platform(platform);
  bool good = true;
  {
    TransferProgress progress(invocation, quiet);
    good = for_each(targets.images, ignore_failures, [&](const std::string& name) {
      if (policy == "missing" && store.find(name)) return;
      const auto result = pull_image(invocation, store, name, wanted, progress);
      if (quiet) write_out(result.image.id.text() + "\n");
    });
  }
  if (!targets.stack) return good ? 0 : 1;
  ServicePull options;
  options.override_policy = policy.empty() ? "always" : policy;
  options.quiet = quiet;
  options.ignore_failures = ignore_failures;
  options.ignore_buildable = ignore_buildable;
  options.explicit_pull = true;
  const auto services =
      orchestrator::services_of(*targets.stack, targets.services, !include_dependencies);
  return pull_services(invocation, *targets.stack, services, options) && good ? 0 : 1;
}

int push(Invocation& invocation) {
  std::vector<std::string> words;
  bool quiet = false;
  bool ignore_failures = false;
  CommandLine& line = invocation.line;
  line.flag("-q,--quiet", quiet, "No progress");
  line.flag("--ignore-push-failures", ignore_failures, "Go on when an image cannot be pushed");
  line.arguments("[SERVICE|IMAGE...]", words);
  line.example("stack push localhost:5000/shop:1", "an image by its name");
  line.example("stack push", "the images of the services that are built");
  if (!line.parse()) return 0;
  require_root(invocation);
  const image::Store store(invocation.paths.images());
  Targets targets = find_targets(invocation, words);
  if (targets.stack)
    for (const std::string& name :
         orchestrator::services_of(*targets.stack, targets.services, true)) {
      const manifests::Service& service = targets.stack->services.at(name);
      if (!service.build && targets.services.empty()) continue;
      targets.images.push_back(orchestrator::image_of(*targets.stack, service));
    }
  TransferProgress progress(invocation, quiet);
  const bool good = for_each(targets.images, ignore_failures, [&](const std::string& name) {
    const image::Reference reference = image::Reference::parse(name);
    const auto image = store.find(reference.text());
    if (!image) throw os::Error("no such image: " + name);
    image::PushOptions options;
    options.registry = registry_options(invocation);
    options.progress = progress.bytes(reference.familiar(), "Pushing");
    progress.step(reference.familiar(), "Pushing", false);
    const image::PushResult result = image::push(store, *image, reference, options);
    progress.step(reference.familiar(), "Pushed", true);
    write_out(reference.tag + ": digest: " + result.digest.text() +
              " size: " + std::to_string(result.size) + "\n");
  });
  return good ? 0 : 1;
}

}  // namespace cli
