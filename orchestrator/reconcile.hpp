// What is to be done so that a project becomes what its file says: the desired stack and what is
// there go in, a plan comes out. Pure: nothing is touched, so the plan that `up --dry-run` prints
// is the plan that `up` carries out.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "orchestrator/record.hpp"

namespace orchestrator {

/// A container that exists, and what it is doing.
struct ExistingContainer {
  ContainerRecord record;
  std::string state;  ///< as in ContainerStatus
};

/// What the fingerprint and the image of a service are now.
struct DesiredService {
  Json fingerprint;
  std::string config_hash;
  std::string image_id;
};

struct Desired {
  const manifests::Stack* stack = nullptr;
  std::map<std::string, DesiredService> services;  ///< of every service that takes part
  std::set<std::string> targets;                   ///< named by the user; the rest are dependencies
  std::map<std::string, int> scale;                ///< overrides
  bool force_recreate = false;
  bool no_recreate = false;
  bool always_recreate_deps = false;
  bool remove_orphans = false;
};

struct Actual {
  std::vector<ExistingContainer> containers;  ///< of the project, one-offs too
  std::set<std::string> networks;             ///< full names
  std::set<std::string> volumes;              ///< full names
};

enum class ContainerAction { keep, create, recreate, start, remove };
enum class ResourceAction { keep, create };

struct ContainerStep {
  ContainerAction action = ContainerAction::keep;
  std::string service;
  std::string name;
  int number = 0;
  std::string id;                    ///< of the container that exists; empty for `create`
  std::vector<std::string> reasons;  ///< of a recreation: the changed keys, or why else
};

struct ResourceStep {
  ResourceAction action = ResourceAction::keep;
  std::string key;
  std::string name;
};

struct Plan {
  std::vector<ResourceStep> networks;
  std::vector<ResourceStep> volumes;
  std::vector<ContainerStep> containers;  ///< each after the services it depends on; removals first
  std::vector<std::string> orphans;       ///< names of containers of no declared service

  bool nothing_to_do() const;
};

/// Throws os::Error for a negative scale or one that a `container_name` forbids.
Plan reconcile(const Desired& desired, const Actual& actual);

/// The plan as people read it, a line per step.
std::string to_text(const Plan& plan);

/// `<project>-<service>-<number>`, or the service's `container_name`.
std::string container_name(const std::string& project, const manifests::Service& service,
                           int number);

}  // namespace orchestrator
