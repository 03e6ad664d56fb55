// An OCI bundle: a directory with config.json (runtime-spec, bundle.md); and the configuration that
// a container gets when nobody asks for anything, equal to Docker's default container.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/container/spec.hpp"

namespace container {

inline constexpr std::string_view kConfigFile = "config.json";
inline constexpr std::string_view kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the default depends on.
struct DefaultSpecOptions {
  bool unified_cgroup = false;  ///< cgroup v2 only: the cgroup namespace is private
  bool privileged = false;      ///< all capabilities, devices, no seccomp, nothing masked
  bool readonly_root = false;
  std::vector<std::string> cap_add;   ///< names with or without "CAP_", any case, or "ALL"
  std::vector<std::string> cap_drop;  ///< the same
  std::uint64_t shm_size = 64 * 1024 * 1024;
  bool host_network = false;  ///< no network namespace: no sysctl of net.*
};

/// The default container: namespaces, mounts, devices, capabilities, masked and read-only paths,
/// sysctls, seccomp policy. Leaves args, root.path and cgroups_path to the caller. Throws os::Error
/// for an unknown capability name.
Spec default_spec(const DefaultSpecOptions& options = {});

/// The device nodes every container has (runtime-spec, "Default Devices"): /dev/null, zero, full,
/// random, urandom, tty.
const std::vector<Device>& default_devices();
/// The device rules of a container that is not privileged: mknod of all, use of the default nodes,
/// pseudo terminals and tun.
std::vector<DeviceRule> default_device_rules();
/// `rules` with what every container has (runtime-spec, "Default Devices"): nothing is allowed that
/// is not named, the default devices are. Rules that allow everything stay as they are.
std::vector<DeviceRule> complete_device_rules(std::vector<DeviceRule> rules);
/// Every device node below `directory` (/dev) but terminals of the session, mounts and links; for
/// privileged containers.
std::vector<Device> host_devices(const std::string& directory = "/dev");
/// The node at `path` as a Device seen at `container_path`; a directory gives all nodes below it.
/// Throws os::Error when it is neither.
std::vector<Device> devices_from_path(const std::string& path, const std::string& container_path);

/// Reads and parses `directory`/config.json.
Spec read_bundle(const std::string& directory);
/// Writes `directory`/config.json, mode 0600; the directory must exist.
void write_bundle(const std::string& directory, const Spec& spec);

}  // namespace container
