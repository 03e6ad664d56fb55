// What is done to give a container its view of the file system, as a list that can be printed and
// compared: pure, decided from the spec alone. apply.hpp performs it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "runtime/container/cgroup_layout.hpp"
#include "runtime/container/mount_options.hpp"
#include "runtime/container/spec.hpp"
#include "runtime/monitor/stage.hpp"

namespace monitor {

/// Changes the propagation of every mount of the new namespace (MS_SLAVE …).
struct PropagationStep {
  std::uint64_t propagation = 0;
};
/// Attaches the prepared root file system on its place.
struct RootStep {
  bool make_parent_private = false;
};
struct MountStep {
  std::string type;  ///< "bind" for a bind of any type
  std::string source;
  std::string destination;
  std::string subpath;  ///< what of the source is bound; all of it when empty
  container::MountOptions options;
  bool readonly_later = false;  ///< written to first, flipped by a ReadonlyMountStep
  std::vector<container::IdMapping> uid_mappings;
  std::vector<container::IdMapping> gid_mappings;
};
struct DeviceStep {
  container::Device device;
};
struct LinkStep {
  std::string target;
  std::string path;
  bool replace = true;  ///< an old link of that name gives way
};
/// A pseudo terminal from the container's own devpts, its peer on /dev/console.
struct ConsoleStep {};
struct SysctlStep {
  std::string key;  ///< dots or slashes, as sysctl(8)
  std::string value;
};
/// createContainer hooks.
struct HooksStep {};
struct PivotStep {};
struct HostnameStep {
  std::string name;
};
struct DomainnameStep {
  std::string name;
};
/// Standard streams that are the host's /dev/null become the container's.
struct NullStreamsStep {};
struct WorkingDirectoryStep {
  std::string path;
};
struct ReadonlyPathStep {
  std::string path;
};
struct MaskedPathStep {
  std::string path;
};
struct ReadonlyMountStep {
  std::string path;
};
struct RootPropagationStep {
  std::uint64_t propagation = 0;
};

using Step = std::variant<PropagationStep, RootStep, MountStep, DeviceStep, LinkStep, ConsoleStep,
                          SysctlStep, HooksStep, PivotStep, HostnameStep, DomainnameStep,
                          NullStreamsStep, WorkingDirectoryStep, ReadonlyPathStep, MaskedPathStep,
                          ReadonlyMountStep, RootPropagationStep>;
using Plan = std::vector<Step>;

/// What the plan depends on beside the spec.
struct PlanInput {
  const std::vector<container::Hierarchy>* hierarchies = nullptr;
  std::map<std::string, std::string> cgroups;   ///< container::Cgroup::Paths of this container
  std::string init_binary;                      ///< mounted as kInitPath when not empty
  std::map<std::string, std::string> subpaths;  ///< destination → part of the source to bind
};

inline constexpr std::string_view kInitPath = "/sbin/docker-init";
inline constexpr std::string_view kRootAnnotation = "stack.rootfs";
inline constexpr std::string_view kInitAnnotation = "stack.init";
/// A JSON object, destination → path below the mount's source, which is resolved when it is mounted
/// and never leaves the source.
inline constexpr std::string_view kSubpathsAnnotation = "stack.subpaths";

/// The steps for a container in a mount namespace of its own, in their order.
Plan plan_steps(const container::Spec& spec, const PlanInput& input);

/// One line per step, e.g. "mount tmpfs on /dev (nosuid,strictatime,mode=755)".
std::string describe(const Step& step);
Stage stage_of(const Step& step);

/// Whether something may be mounted at `destination` as far as /proc is concerned: nothing below
/// it but the files that lxcfs(1) replaces.
bool may_mount_below_proc(const std::string& destination);
/// "/a//b/./c/" → "/a/b/c"; ".." is kept for the resolution in the root.
std::string clean_path(const std::string& path);

}  // namespace monitor
