// Which services of a model take part: by profile (Compose B6), by name, and what is left unused.
#pragma once

#include <string>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/stack.hpp"

namespace manifests {

/// Moves services between `services` and `disabled_services` so that those without a profile and
/// those with an active one are on; "*" is every profile.
void apply_profiles(Stack& stack, const std::vector<std::string>& profiles);

/// Enables the profiles of the named services, so that a service can be asked for by name alone.
/// An unknown name is reported: `no such service: x`.
void enable_named(Stack& stack, const std::vector<std::string>& profiles,
                  const std::vector<std::string>& names, Diagnostics& diagnostics);

/// Keeps only the named services and, when `dependencies`, what they depend on; the others become
/// disabled. Without names every service is kept.
void select_services(Stack& stack, const std::vector<std::string>& names, bool dependencies,
                     Diagnostics& diagnostics);

/// Drops networks, volumes, configs, secrets and models that no active service uses.
void prune_unused_resources(Stack& stack);

}  // namespace manifests
