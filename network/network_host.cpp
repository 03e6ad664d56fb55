// What all the projects of a host have together.
#include <algorithm>
#include <filesystem>

#include "network/foreign_firewall.hpp"
#include "network/host_firewall.hpp"
#include "network/network.hpp"
#include "network/paths.hpp"
#include "runtime/os/file.hpp"

namespace network {

bool Network::exists(const std::string& run_dir, const std::string& project) {
  return os::exists(Paths(run_dir, project).directory);
}

std::vector<std::string> Network::projects(const std::string& run_dir) {
  const std::string networks = run_dir + "/networks";
  std::vector<std::string> names = os::list_directory(networks);
  std::erase_if(names, [&](const std::string& name) {
    return !std::filesystem::is_directory(networks + "/" + name);
  });
  return names;
}

void Network::restore_host_firewall(const std::string& run_dir) {
  const std::string networks = run_dir + "/networks";
  if (!os::exists(networks)) return;
  const os::FileLock lock = os::FileLock::acquire(networks + "/lock");
  HostFirewall(networks).restore();
  if (!projects(run_dir).empty()) admit_stacks_to_foreign_firewall();
}

}  // namespace network
