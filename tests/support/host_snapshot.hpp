// What the host holds that a stack may have made: taken before and after a test, the difference is
// what was left behind.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace support {

class HostSnapshot {
 public:
  /// Looks at the host now. Needs root, to see every process and the firewall.
  static HostSnapshot take();

  /// What is here and was not there in `before`, each as "KIND: WHAT".
  std::vector<std::string> added_since(const HostSnapshot& before) const;

 private:
  std::map<std::string, std::set<std::string>> found_;  ///< by kind
};

/// Processes of ours (`stack`, `stack-runtime`) and those in a container's cgroup.
std::set<std::string> stack_processes();
/// Mounts of this mount namespace: "TYPE at POINT".
std::set<std::string> mounts();
/// Network interfaces of this network namespace.
std::set<std::string> links();
/// Addresses, rules, sets and chains of nftables, each line with its table.
std::set<std::string> firewall_lines();
/// IPv4 and IPv6 routes of this network namespace.
std::set<std::string> routes();
/// Directories below any cgroup hierarchy whose path has a part "stack" or "stack-…".
std::set<std::string> stack_cgroups();
/// Unix sockets with a name that has "stack" in it.
std::set<std::string> stack_sockets();

}  // namespace support
