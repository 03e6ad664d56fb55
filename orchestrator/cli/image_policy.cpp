#include "orchestrator/cli/image_policy.hpp"

#include "orchestrator/build_request.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/registry_session.hpp"
#include "orchestrator/planning.hpp"
#include "runtime/image/pull.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

using manifests::PullPolicy;

std::optional<std::chrono::nanoseconds> age_of(const image::Store& store,
                                               const image::Reference& reference) {
  const auto record = image::pull_record(store, reference);
  if (!record || !record->at) return std::nullopt;
  return std::chrono::system_clock::now() - *record->at;
}

}  // namespace

void check_pull_policy(const std::string& policy) {
  for (const char* known : {"", "always", "missing", "if_not_present", "never", "build"})
    if (policy == known) return;
  throw UsageError("invalid --pull option \"" + policy + "\": use always, missing, never or build");
}

bool wants_pull(const manifests::Service& service, const ServicePull& options, bool present,
                std::optional<std::chrono::nanoseconds> age) {
  PullPolicy policy = service.pull();
  // An image of a build is made here, unless the file says by name that it is to be fetched.
  bool buildable = service.build.has_value() && service.pull_policy.empty();
  if (!options.override_policy.empty()) {
    manifests::Service other;
    other.pull_policy = options.override_policy;
    policy = other.pull();
    if (service.pull_policy == "never" && options.explicit_pull)
      policy.when = PullPolicy::When::never;
  }
  if (options.explicit_pull) buildable = service.build.has_value() && options.ignore_buildable;
  if (service.image.empty() || buildable) return false;
  switch (policy.when) {
    case PullPolicy::When::always:
      return true;
    case PullPolicy::When::never:
    case PullPolicy::When::build:
      return false;
    case PullPolicy::When::refresh:
      return !present || (age && *age >= policy.older_than);
    case PullPolicy::When::missing:
      break;
  }
  return !present;
}

namespace {

/// What is to be fetched for a service: its own image, and those that it mounts.
struct Wanted {
  const manifests::Service* service;  ///< whom it is for
  manifests::Service image;           ///< with the image's name and how to get it
  std::string path;                   ///< where the file says so
};

std::vector<Wanted> wanted_images(const manifests::Stack& stack,
                                  const std::set<std::string>& services) {
  std::vector<Wanted> wanted;
  for (const std::string& name : services) {
    const manifests::Service& service = stack.services.at(name);
    const std::string path = "services." + name;
    wanted.push_back({&service, service, path + ".image"});
    for (std::size_t i = 0; i < service.volumes.size(); ++i) {
      const manifests::Mount& mount = service.volumes[i];
      if (mount.type != manifests::MountType::image || stack.services.contains(mount.source))
        continue;
      manifests::Service mounted;
      mounted.image = mount.source;
      wanted.push_back(
          {&service, std::move(mounted), path + ".volumes[" + std::to_string(i) + "]"});
    }
  }
  return wanted;
}

/// An image that could not be had.
struct Failure {
  Wanted wanted;
  bool present = false;  ///< an older one is there
  std::string reason;
};

std::string near_name(const image::Store& store, const std::string& reference) {
  std::vector<std::string> names;
  for (const image::Image& image : store.list())
    for (const std::string& name : image.names)
      names.push_back(image::Reference::parse(name).familiar());
  return manifests::nearest(reference, names);
}

void report(const manifests::Stack& stack, const image::Store& store, const Failure& failure,
            bool ignored) {
  manifests::Diagnostics found;
  const Wanted& wanted = failure.wanted;
  const manifests::Position* position = stack.position(wanted.path);
  const std::string what =
      failure.present ? failure.reason
                      : "no such image: " + wanted.image.image + " (" + failure.reason + ")";
  auto& diagnostic = found.error(position != nullptr ? *position : manifests::Position{},
                                 "service \"" + wanted.service->name + "\": " + what);
  diagnostic.path = wanted.path;
  if (!failure.present)
    if (const std::string near = near_name(store, wanted.image.image); !near.empty())
      diagnostic.hint = "did you mean " + near + "?";
  if (ignored) diagnostic.severity = manifests::Severity::warning;
  print_diagnostic(diagnostic);
}

}  // namespace

bool pull_services(const Invocation& invocation, const manifests::Stack& stack,
                   const std::set<std::string>& services, const ServicePull& options) {
  invocation.paths.make();
  image::Store store(invocation.paths.images());
  std::set<std::pair<std::string, std::string>> seen;
  std::optional<TransferProgress> progress;
  std::vector<Failure> failures;
  for (const Wanted& wanted : wanted_images(stack, services)) {
    const manifests::Service& service = wanted.image;
    bool present = false;
    try {
      if (service.image.empty()) continue;
      // What another service builds is not fetched for this one.
      if (!service.build && !options.explicit_pull &&
          orchestrator::builder_of(stack, service.image) != nullptr)
        continue;
      const image::Reference reference = image::Reference::parse(service.image);
      if (!seen.emplace(reference.text(), service.platform).second) continue;
      present = store.find(service.image).has_value();
      if (!wants_pull(service, options, present, age_of(store, reference))) continue;
      std::optional<image::Platform> platform;
      if (!service.platform.empty()) platform = image::parse_platform(service.platform);
      if (!progress) progress.emplace(invocation, options.quiet);
      pull_image(invocation, store, service.image, platform, *progress);
    } catch (const os::Error& error) {
      // What can be built instead is not lost.
      if (service.build && !options.explicit_pull) continue;
      failures.push_back({wanted, present, error.what()});
    }
  }
  progress.reset();
  for (const Failure& failure : failures) report(stack, store, failure, options.ignore_failures);
  return failures.empty() || options.ignore_failures;
}

}  // namespace cli
