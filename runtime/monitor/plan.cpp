#include "runtime/monitor/plan.hpp"

#include <sys/mount.h>

#include <algorithm>
#include <set>

#include "runtime/container/bundle.hpp"

namespace monitor {

namespace {

std::uint64_t propagation_flag(const std::string& name) {
  if (name == "shared" || name == "rshared") return MS_SHARED;
  if (name == "private" || name == "rprivate") return MS_PRIVATE;
  if (name == "unbindable" || name == "runbindable") return MS_UNBINDABLE;
  return MS_SLAVE;
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

MountStep bind_step(std::string source, std::string destination, std::uint64_t attributes) {
  MountStep step;
  step.type = "bind";
  step.source = std::move(source);
  step.destination = std::move(destination);
  step.options.bind = true;
  step.options.set_attributes = attributes;
  step.options.propagation = MS_PRIVATE;
  return step;
}

constexpr std::uint64_t kNoExecNoSuidNoDev =
    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

/// cgroup v1: a tmpfs with one bind of the container's own group per hierarchy, and a link for each
/// controller that shares a hierarchy with another.
void add_cgroup_v1(const MountStep& mount, const PlanInput& input, Plan& plan) {
  const bool readonly = (mount.options.set_attributes & MOUNT_ATTR_RDONLY) != 0;
  MountStep top = mount;
  top.type = "tmpfs";
  top.source = "cgroup";
  top.options.set_attributes = kNoExecNoSuidNoDev;
  top.options.data = {"mode=755"};
  plan.emplace_back(top);
  for (const container::Hierarchy& hierarchy : *input.hierarchies) {
    if (hierarchy.unified) continue;
    const auto own = input.cgroups.find(hierarchy.name);
    if (own == input.cgroups.end()) continue;
    const std::string name = base_name(hierarchy.mount_point);
    const std::uint64_t attributes =
        kNoExecNoSuidNoDev | (readonly ? std::uint64_t{MOUNT_ATTR_RDONLY} : 0);
    plan.emplace_back(bind_step(own->second, mount.destination + "/" + name, attributes));
    if (hierarchy.controllers.size() < 2) continue;
    for (const std::string& controller : hierarchy.controllers)
      if (controller != name)
        plan.emplace_back(LinkStep{name, mount.destination + "/" + controller, true});
  }
}

void add_cgroup(MountStep mount, const PlanInput& input, Plan& plan) {
  const auto& hierarchies = *input.hierarchies;
  const bool unified = std::all_of(hierarchies.begin(), hierarchies.end(),
                                   [](const auto& hierarchy) { return hierarchy.unified; });
  if (mount.type == "cgroup" && !unified) return add_cgroup_v1(mount, input, plan);
  mount.type = "cgroup2";
  plan.emplace_back(std::move(mount));
}

void add_mount(const container::Mount& mount, const PlanInput& input, Plan& plan) {
  MountStep step;
  step.options = container::parse_mount_options(mount.options);
  step.type = step.options.bind ? "bind" : mount.type;
  if (step.type == "bind") step.options.bind = true;
  step.source = mount.source;
  step.destination = clean_path(mount.destination);
  if (const auto part = input.subpaths.find(mount.destination); part != input.subpaths.end())
    step.subpath = part->second;
  step.uid_mappings = mount.uid_mappings;
  step.gid_mappings = mount.gid_mappings;
  step.readonly_later =
      step.type == "tmpfs" && (step.options.set_attributes & MOUNT_ATTR_RDONLY) != 0;
  if ((step.type == "cgroup" || step.type == "cgroup2") && input.hierarchies != nullptr)
    return add_cgroup(std::move(step), input, plan);
  plan.emplace_back(std::move(step));
}

bool has_bind_on_dev(const container::Spec& spec) {
  return std::any_of(spec.mounts.begin(), spec.mounts.end(), [](const container::Mount& mount) {
    return clean_path(mount.destination) == "/dev" &&
           (mount.type == "bind" || container::parse_mount_options(mount.options).bind);
  });
}

/// What every container finds in /dev whatever the spec says (runtime-spec, "Default Devices").
void add_devices(const container::Spec& spec, Plan& plan) {
  std::set<std::string> named;
  for (const container::Device& device : spec.linux.devices) named.insert(clean_path(device.path));
  for (const container::Device& device : container::default_devices())
    if (!named.contains(device.path)) plan.emplace_back(DeviceStep{device});
  for (const container::Device& device : spec.linux.devices) plan.emplace_back(DeviceStep{device});
  plan.emplace_back(LinkStep{"/proc/self/fd", "/dev/fd", false});
  plan.emplace_back(LinkStep{"/proc/self/fd/0", "/dev/stdin", false});
  plan.emplace_back(LinkStep{"/proc/self/fd/1", "/dev/stdout", false});
  plan.emplace_back(LinkStep{"/proc/self/fd/2", "/dev/stderr", false});
  plan.emplace_back(LinkStep{"pts/ptmx", "/dev/ptmx", true});
}

void add_protected_paths(const container::Spec& spec, Plan& plan) {
  std::set<std::string> seen;
  for (const std::string& path : spec.linux.readonly_paths)
    if (seen.insert(clean_path(path)).second) plan.emplace_back(ReadonlyPathStep{clean_path(path)});
  for (const std::string& path : spec.linux.masked_paths)
    if (seen.insert("masked " + clean_path(path)).second)
      plan.emplace_back(MaskedPathStep{clean_path(path)});
}

void add_before_pivot(const container::Spec& spec, const PlanInput& input, Plan& plan) {
  const std::uint64_t propagation = propagation_flag(spec.linux.rootfs_propagation);
  plan.emplace_back(
      PropagationStep{propagation == MS_UNBINDABLE ? std::uint64_t{MS_PRIVATE} : propagation});
  plan.emplace_back(RootStep{propagation == MS_SHARED});
  for (const container::Mount& mount : spec.mounts) add_mount(mount, input, plan);
  if (!input.init_binary.empty())
    plan.emplace_back(bind_step(input.init_binary, std::string(kInitPath), MOUNT_ATTR_RDONLY));
  if (!has_bind_on_dev(spec)) add_devices(spec, plan);
  if (spec.process && spec.process->terminal) plan.emplace_back(ConsoleStep{});
  for (const auto& [key, value] : spec.linux.sysctl) plan.emplace_back(SysctlStep{key, value});
  if (!spec.hooks.create_container.empty()) plan.emplace_back(HooksStep{});
}

void add_after_pivot(const container::Spec& spec, Plan& plan) {
  if (!spec.hostname.empty()) plan.emplace_back(HostnameStep{spec.hostname});
  if (!spec.domainname.empty()) plan.emplace_back(DomainnameStep{spec.domainname});
  if (spec.process && !spec.process->terminal) plan.emplace_back(NullStreamsStep{});
  if (spec.process) plan.emplace_back(WorkingDirectoryStep{clean_path(spec.process->cwd)});
  add_protected_paths(spec, plan);
}

}  // namespace

Plan plan_steps(const container::Spec& spec, const PlanInput& input) {
  Plan plan;
  add_before_pivot(spec, input, plan);
  plan.emplace_back(PivotStep{});
  add_after_pivot(spec, plan);
  std::vector<Step> flips;
  for (const Step& step : plan)
    if (const auto* mount = std::get_if<MountStep>(&step);
        mount != nullptr && mount->readonly_later)
      flips.emplace_back(ReadonlyMountStep{mount->destination});
  plan.insert(plan.end(), flips.begin(), flips.end());
  if (!spec.linux.rootfs_propagation.empty())
    plan.emplace_back(RootPropagationStep{propagation_flag(spec.linux.rootfs_propagation)});
  if (spec.root && spec.root->readonly) plan.emplace_back(ReadonlyMountStep{"/"});
  return plan;
}

bool may_mount_below_proc(const std::string& destination) {
  static constexpr std::string_view kReplaceable[] = {"cpuinfo",
                                                      "diskstats",
                                                      "meminfo",
                                                      "stat",
                                                      "swaps",
                                                      "uptime",
                                                      "loadavg",
                                                      "slabinfo",
                                                      "sys/kernel/ns_last_pid",
                                                      "sys/crypto/fips_enabled"};
  const std::string_view prefix = "/proc/";
  if (!destination.starts_with(prefix)) return true;
  return std::find(std::begin(kReplaceable), std::end(kReplaceable),
                   std::string_view(destination).substr(prefix.size())) != std::end(kReplaceable);
}

std::string clean_path(const std::string& path) {
  std::string clean;
  for (std::size_t begin = 0; begin < path.size();) {
    std::size_t end = path.find('/', begin);
    if (end == std::string::npos) end = path.size();
    const std::string part = path.substr(begin, end - begin);
    if (!part.empty() && part != ".") clean += "/" + part;
    begin = end + 1;
  }
  return clean.empty() ? "/" : clean;
}

namespace {

std::string octal(std::uint64_t value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + value % 8));
    value /= 8;
  } while (value > 0);
  return digits;
}

std::string hexadecimal(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string digits;
  do {
    digits.insert(digits.begin(), kDigits[value % 16]);
    value /= 16;
  } while (value > 0);
  return "0x" + digits;
}

std::string describe_mount(const MountStep& step) {
  std::string text = step.options.bind ? (step.options.recursive_bind ? "rbind " : "bind ")
                                       : "mount " + step.type + " ";
  if (step.options.bind) text += step.source + " ";
  text += "on " + step.destination + " attributes=" + hexadecimal(step.options.set_attributes);
  for (const std::string& option : step.options.data) text += " " + option;
  return step.readonly_later ? text + " (read-only later)" : text;
}

struct Describe {
  std::string operator()(const PropagationStep& step) const {
    return "propagation " + hexadecimal(step.propagation);
  }
  std::string operator()(const RootStep&) const { return "attach root"; }
  std::string operator()(const MountStep& step) const { return describe_mount(step); }
  std::string operator()(const DeviceStep& step) const {
    const container::Device& device = step.device;
    return std::string("device ") + device.type + " " + std::to_string(device.major) + ":" +
           std::to_string(device.minor) + " " + device.path + " " +
           octal(device.file_mode.value_or(0666));
  }
  std::string operator()(const LinkStep& step) const {
    return "link " + step.path + " -> " + step.target;
  }
  std::string operator()(const ConsoleStep&) const { return "console"; }
  std::string operator()(const SysctlStep& step) const {
    return "sysctl " + step.key + "=" + step.value;
  }
  std::string operator()(const HooksStep&) const { return "createContainer hooks"; }
  std::string operator()(const PivotStep&) const { return "pivot"; }
  std::string operator()(const HostnameStep& step) const { return "hostname " + step.name; }
  std::string operator()(const DomainnameStep& step) const { return "domainname " + step.name; }
  std::string operator()(const NullStreamsStep&) const { return "null streams"; }
  std::string operator()(const WorkingDirectoryStep& step) const { return "cwd " + step.path; }
  std::string operator()(const ReadonlyPathStep& step) const { return "read-only " + step.path; }
  std::string operator()(const MaskedPathStep& step) const { return "mask " + step.path; }
  std::string operator()(const ReadonlyMountStep& step) const {
    return "read-only mount " + step.path;
  }
  std::string operator()(const RootPropagationStep& step) const {
    return "root propagation " + hexadecimal(step.propagation);
  }
};

struct StageOf {
  Stage operator()(const PropagationStep&) const { return Stage::propagation; }
  Stage operator()(const RootPropagationStep&) const { return Stage::propagation; }
  Stage operator()(const RootStep&) const { return Stage::rootfs; }
  Stage operator()(const MountStep&) const { return Stage::mount; }
  Stage operator()(const DeviceStep&) const { return Stage::device; }
  Stage operator()(const LinkStep&) const { return Stage::device; }
  Stage operator()(const NullStreamsStep&) const { return Stage::descriptors; }
  Stage operator()(const ConsoleStep&) const { return Stage::console; }
  Stage operator()(const SysctlStep&) const { return Stage::sysctl; }
  Stage operator()(const HostnameStep&) const { return Stage::sysctl; }
  Stage operator()(const DomainnameStep&) const { return Stage::sysctl; }
  Stage operator()(const HooksStep&) const { return Stage::hook; }
  Stage operator()(const PivotStep&) const { return Stage::pivot; }
  Stage operator()(const WorkingDirectoryStep&) const { return Stage::working_directory; }
  Stage operator()(const ReadonlyPathStep&) const { return Stage::protected_path; }
  Stage operator()(const MaskedPathStep&) const { return Stage::protected_path; }
  Stage operator()(const ReadonlyMountStep&) const { return Stage::protected_path; }
};

}  // namespace

std::string describe(const Step& step) { return std::visit(Describe{}, step); }
Stage stage_of(const Step& step) { return std::visit(StageOf{}, step); }

}  // namespace monitor
