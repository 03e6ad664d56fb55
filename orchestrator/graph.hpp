// The graph of services: who waits for whom, and in which order things start and stop. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "manifests/stack.hpp"

namespace orchestrator {

class Graph {
 public:
  /// The graph of a stack's services. Throws os::Error with the path that closes a cycle, e.g.
  /// "dependency cycle detected: a -> b -> a".
  static Graph of(const std::map<std::string, manifests::Service>& services);

  /// All services, each after everything that it depends on; by name where that leaves a choice.
  const std::vector<std::string>& order() const { return order_; }
  /// What `service` depends on directly, and who depends directly on it.
  const std::set<std::string>& dependencies(const std::string& service) const;
  const std::set<std::string>& dependents(const std::string& service) const;
  /// `services` with everything they depend on, or with everything that depends on them.
  std::set<std::string> with_dependencies(const std::set<std::string>& services) const;
  std::set<std::string> with_dependents(const std::set<std::string>& services) const;

 private:
  using Edges = std::map<std::string, std::set<std::string>>;
  static std::set<std::string> closure(const Edges& edges, const std::set<std::string>& from);

  std::vector<std::string> order_;
  Edges dependencies_;
  Edges dependents_;
};

}  // namespace orchestrator
