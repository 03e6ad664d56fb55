// From a service's `build:` to what the builder is asked for (Compose Specification, build.md).
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "orchestrator/paths.hpp"
#include "runtime/build/options.hpp"

namespace orchestrator {

/// What the command line adds to every build.
struct BuildFlags {
  std::map<std::string, std::string> arguments;
  bool no_cache = false;
  bool pull = false;
  /// Of the command: args without a value, proxies.
  std::map<std::string, std::string> environment;
  /// Is told what of a service's `build:` has no effect.
  std::function<void(const std::string&)> warn;
};

/// Throws os::Error for a context that is not there, or of a kind that is not supported.
build::BuildOptions build_request(const manifests::Stack& stack, const manifests::Service& service,
                                  const BuildFlags& flags);

/// Fills what is the same for all builds: directories, the runtime, an id, SOURCE_DATE_EPOCH.
void complete_build(build::BuildOptions& options, const Paths& paths,
                    const std::map<std::string, std::string>& environment);

/// Adds what `type=local,src=DIRECTORY` and `type=local,dest=DIRECTORY` name; relative paths begin
/// at `directory`. Returns a warning for each entry of another type, which is left out.
std::vector<std::string> add_caches(build::BuildOptions& options, const manifests::Strings& from,
                                    const manifests::Strings& to, const std::string& directory);

/// The order in which services are built: those first that others name in `additional_contexts`
/// as `service:NAME`. Each group may be built at once.
std::vector<std::string> build_order(const manifests::Stack& stack,
                                     const std::vector<std::string>& services);

/// The service that builds the image `reference`; null when none does.
const manifests::Service* builder_of(const manifests::Stack& stack, const std::string& reference);

/// The services whose image is to be made before an `up` of `services`: with `all` every one that
/// has `build:`, else those whose image is missing or whose pull_policy is `build`. Also those that
/// build an image which others of `services` only run.
std::vector<std::string> services_to_build(const manifests::Stack& stack,
                                           const std::set<std::string>& services, bool all,
                                           const Paths& paths);

}  // namespace orchestrator
