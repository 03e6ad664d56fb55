#include "orchestrator/cli/image_policy.hpp"

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

void report(const manifests::Stack& stack, const manifests::Service& service,
            const std::string& message, bool ignored) {
  manifests::Diagnostics found;
  const std::string path = "services." + service.name + ".image";
  const manifests::Position* position = stack.position(path);
  auto& diagnostic = found.error(position != nullptr ? *position : manifests::Position{},
                                 "service \"" + service.name + "\": " + message);
  diagnostic.path = path;
  if (ignored) diagnostic.severity = manifests::Severity::warning;
  print_diagnostic(diagnostic);
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
};

std::vector<Wanted> wanted_images(const manifests::Stack& stack,
                                  const std::set<std::string>& services) {
  std::vector<Wanted> wanted;
  for (const std::string& name : services) {
    const manifests::Service& service = stack.services.at(name);
    wanted.push_back({&service, service});
    for (const manifests::Mount& mount : service.volumes) {
      if (mount.type != manifests::MountType::image || stack.services.contains(mount.source))
        continue;
      manifests::Service mounted;
      mounted.image = mount.source;
      wanted.push_back({&service, std::move(mounted)});
    }
  }
  return wanted;
}

}  // namespace

bool pull_services(const Invocation& invocation, const manifests::Stack& stack,
                   const std::set<std::string>& services, const ServicePull& options) {
  invocation.paths.make();
  image::Store store(invocation.paths.images());
  std::set<std::pair<std::string, std::string>> seen;
  std::optional<TransferProgress> progress;
  std::vector<std::pair<const manifests::Service*, std::string>> failures;
  for (const Wanted& wanted : wanted_images(stack, services)) {
    const manifests::Service& service = wanted.image;
    try {
      if (service.image.empty()) continue;
      const image::Reference reference = image::Reference::parse(service.image);
      if (!seen.emplace(reference.text(), service.platform).second) continue;
      const bool present = store.find(service.image).has_value();
      if (!wants_pull(service, options, present, age_of(store, reference))) continue;
      std::optional<image::Platform> platform;
      if (!service.platform.empty()) platform = image::parse_platform(service.platform);
      if (!progress) progress.emplace(invocation, options.quiet);
      pull_image(invocation, store, service.image, platform, *progress);
    } catch (const os::Error& error) {
      failures.emplace_back(wanted.service, error.what());
    }
  }
  progress.reset();
  for (const auto& [service, message] : failures)
    report(stack, *service, message, options.ignore_failures);
  return failures.empty() || options.ignore_failures;
}

}  // namespace cli
