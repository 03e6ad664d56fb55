// Which images of a stack's services are to be fetched, by `pull_policy` and `--pull`, and fetching
// them.
#pragma once

#include <set>
#include <string>

#include "manifests/stack.hpp"
#include "orchestrator/cli/invocation.hpp"
#include "runtime/image/store.hpp"

namespace cli {

struct ServicePull {
  std::string override_policy;  ///< of `--pull`; empty: each service's own
  bool quiet = false;
  bool ignore_failures = false;
  bool ignore_buildable = false;
  bool explicit_pull = false;  ///< `pull`, not `up`: what can be built is fetched as well
};

/// Throws UsageError for a value that `--pull` does not have.
void check_pull_policy(const std::string& policy);

/// Fetches what the policies ask for, each image once. Every failure is printed, with its place in
/// the file; false when there was one.
bool pull_services(const Invocation& invocation, const manifests::Stack& stack,
                   const std::set<std::string>& services, const ServicePull& options);

/// Whether a service's image is to be fetched. `present` and `age` tell what the store has; no age:
/// it did not come from a registry. Pure.
bool wants_pull(const manifests::Service& service, const ServicePull& options, bool present,
                std::optional<std::chrono::nanoseconds> age);

}  // namespace cli
