// Where the control groups of this machine are: cgroup v1, v2, or both at once (cgroups(7)),
// decided per controller, and below which directory we may make ours.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace container {

/// One mounted hierarchy.
struct Hierarchy {
  std::string mount_point;
  bool unified = false;                  ///< cgroup v2
  std::vector<std::string> controllers;  ///< v1: as mounted; v2: what may be enabled below base
  std::string name;  ///< v1: "cpu,cpuacct", "name=systemd"; v2: empty, as in /proc/PID/cgroup
  std::string base;  ///< directory below which ours are made; no slash at the end
  bool has(std::string_view controller) const noexcept;
};

class CgroupLayout {
 public:
  /// Reads `root`/proc/self/mountinfo and `root`/proc/self/cgroup; `root` stands in front of every
  /// path. Throws os::Error when no hierarchy is mounted.
  static CgroupLayout detect(const std::string& root = {});

  const std::vector<Hierarchy>& hierarchies() const noexcept { return hierarchies_; }
  /// The hierarchy that serves `controller` ("memory", "freezer" …): v2 where it has it, else v1;
  /// null when this machine has neither.
  const Hierarchy* find(std::string_view controller) const noexcept;
  /// The v2 hierarchy, with controllers or without; null when none is mounted.
  const Hierarchy* unified() const noexcept;
  /// cgroup v2 alone: no v1 hierarchy has a controller.
  bool unified_only() const noexcept;
  /// Whether ours would lie in the root, where systemd turns controllers on and off as its own
  /// units need them: a group that it delegates to us is wanted (systemd.resource-control(5),
  /// Delegate=).
  bool wants_delegation() const;

 private:
  std::vector<Hierarchy> hierarchies_;
};

}  // namespace container
