// What `up` would do: gathers what is there from disk and hands it to reconcile. The supervisor
// plans with this, and `up --dry-run` prints it without one.
#pragma once

#include <set>
#include <string>

#include "manifests/stack.hpp"
#include "orchestrator/paths.hpp"
#include "orchestrator/protocol.hpp"
#include "orchestrator/reconcile.hpp"
#include "runtime/image/store.hpp"

namespace orchestrator {

/// The services that an `up` deals with: the named ones (all when none is), with what they depend
/// on unless `no_deps`. Throws os::Error "no such service: x".
std::set<std::string> services_of(const manifests::Stack& stack,
                                  const std::vector<std::string>& named, bool no_deps);

/// The name of the image that a service runs: `image`, or that of its build.
std::string image_of(const manifests::Stack& stack, const manifests::Service& service);

/// The image that a mount of type image shows: its source names it, or a service that runs it.
std::string mounted_image(const manifests::Stack& stack, const manifests::Mount& mount);

/// The images that containers of any project are made of, or mount.
std::set<image::Digest> images_in_use(const Paths& paths, const image::Store& images);

/// Throws os::Error naming every image that is not in the store.
Desired desired_state(const manifests::Stack& stack, const protocol::Up& up,
                      const image::Store& images);

/// The plan from what the records on disk say.
Plan plan_up(const manifests::Stack& stack, const protocol::Up& up, const Paths& paths);

/// The stack reduced to one service and what it refers to: what a container's record keeps.
manifests::Stack slice(const manifests::Stack& stack, const manifests::Service& service);

/// A new record of a container of `service`; volumes are not filled in.
ContainerRecord make_record(const manifests::Stack& stack, const manifests::Service& service,
                            const DesiredService& desired, const std::string& name, int number);

}  // namespace orchestrator
