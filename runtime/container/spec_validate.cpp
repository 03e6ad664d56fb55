#include <linux/capability.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <set>

#include "runtime/container/capability.hpp"
#include "runtime/container/mount_options.hpp"
#include "runtime/container/seccomp_program.hpp"
#include "runtime/container/spec.hpp"
#include "runtime/os/error.hpp"

namespace container {
namespace {

constexpr std::size_t kMaxHostname = 64;          // __NEW_UTS_LEN, sethostname(2)
constexpr std::size_t kMaxIdMappings = 340;       // user_namespaces(7)
constexpr std::size_t kMaxGroups = 65536;         // NGROUPS_MAX, setgroups(2)
constexpr std::uint64_t kMaxUnixId = 0xfffffffe;  // (uid_t)-1 means "unchanged"

using Mistakes = std::vector<std::string>;

bool is_absolute(std::string_view path) { return path.starts_with('/'); }

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

bool has_own(const Linux& linux, NamespaceType type) {
  const Namespace* found = linux.find_namespace(type);
  return found != nullptr && found->path.empty();
}

bool has_private(const Linux& linux, NamespaceType type) {
  return linux.find_namespace(type) != nullptr;
}

// Semantic versions of the 1.x series (semver.org), "1.2.0-rc.1" included.
bool is_supported_version(std::string_view version) {
  if (!version.starts_with("1.")) return false;
  const std::string_view numbers = version.substr(0, version.find_first_of("-+"));
  int dots = 0;
  char previous = '.';
  for (const char c : numbers) {
    if (c == '.') {
      if (previous == '.') return false;
      ++dots;
    } else if (c < '0' || c > '9') {
      return false;
    }
    previous = c;
  }
  return dots == 2 && previous != '.';
}

void check_capability_names(const std::vector<std::string>& names, const std::string& property,
                            Mistakes& mistakes) {
  for (const std::string& name : names) {
    const auto number = capability_number(name);
    if (!number || !name.starts_with("CAP_")) {
      mistakes.push_back(property + ": unknown capability " + in_quotes(name));
    } else if ((all_capabilities() >> *number & 1) == 0) {
      mistakes.push_back(property + ": this kernel does not know " + name);
    }
  }
}

bool contains_all(const std::vector<std::string>& whole, const std::vector<std::string>& part) {
  return std::all_of(part.begin(), part.end(), [&](const std::string& name) {
    return std::find(whole.begin(), whole.end(), name) != whole.end();
  });
}

void check_capabilities(const Capabilities& capabilities, Mistakes& mistakes) {
  const std::string prefix = "process.capabilities.";
  check_capability_names(capabilities.bounding, prefix + "bounding", mistakes);
  check_capability_names(capabilities.effective, prefix + "effective", mistakes);
  check_capability_names(capabilities.inheritable, prefix + "inheritable", mistakes);
  check_capability_names(capabilities.permitted, prefix + "permitted", mistakes);
  check_capability_names(capabilities.ambient, prefix + "ambient", mistakes);
  if (!contains_all(capabilities.permitted, capabilities.effective)) {
    mistakes.push_back(prefix + "effective: holds what 'permitted' does not (capset(2))");
  }
  if (!contains_all(capabilities.permitted, capabilities.ambient) ||
      !contains_all(capabilities.inheritable, capabilities.ambient)) {
    mistakes.push_back(prefix +
                       "ambient: holds what 'permitted' or 'inheritable' does not (prctl(2))");
  }
}

void check_rlimits(const std::vector<Rlimit>& limits, Mistakes& mistakes) {
  std::set<std::string> seen;
  for (const Rlimit& limit : limits) {
    const std::string property = "process.rlimits." + limit.type;
    if (!rlimit_number(limit.type)) {
      mistakes.push_back("process.rlimits: unknown limit " + in_quotes(limit.type));
    } else if (!seen.insert(limit.type).second) {
      mistakes.push_back(property + ": given twice");
    }
    if (limit.soft > limit.hard) {
      mistakes.push_back(property + ": the soft limit is above the hard limit");
    }
  }
}

void check_scheduling(const Process& process, Mistakes& mistakes) {
  static const std::set<std::string> kPolicies = {"SCHED_OTHER",   "SCHED_FIFO", "SCHED_RR",
                                                  "SCHED_BATCH",   "SCHED_ISO",  "SCHED_IDLE",
                                                  "SCHED_DEADLINE"};
  static const std::set<std::string> kClasses = {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
                                                 "IOPRIO_CLASS_IDLE"};
  if (process.scheduler && !kPolicies.contains(process.scheduler->policy)) {
    mistakes.push_back("process.scheduler.policy: unknown policy " +
                       in_quotes(process.scheduler->policy));
  }
  if (process.io_priority) {
    if (!kClasses.contains(process.io_priority->io_class)) {
      mistakes.push_back("process.ioPriority.class: unknown class " +
                         in_quotes(process.io_priority->io_class));
    }
    if (process.io_priority->priority < 0 || process.io_priority->priority > 7) {
      mistakes.push_back("process.ioPriority.priority: not within 0 to 7");
    }
  }
}

void check_user(const User& user, Mistakes& mistakes) {
  if (user.uid > kMaxUnixId) mistakes.push_back("process.user.uid: not a user number");
  if (user.gid > kMaxUnixId) mistakes.push_back("process.user.gid: not a group number");
  if (user.umask && *user.umask > 0777) mistakes.push_back("process.user.umask: above 0777");
  if (user.additional_gids.size() > kMaxGroups) {
    mistakes.push_back("process.user.additionalGids: more than 65536 groups");
  }
}

void check_mount(const Mount& mount, const std::string& property, Mistakes& mistakes) {
  if (!is_absolute(mount.destination)) {
    mistakes.push_back(property + ": the destination " + in_quotes(mount.destination) +
                       " is not absolute");
  }
  const MountOptions options = parse_mount_options(mount.options);
  if (!options.bind && mount.type.empty()) {
    mistakes.push_back(property + ": needs a type, or the option 'bind' or 'rbind'");
  }
  if (options.bind && mount.source.empty()) mistakes.push_back(property + ": needs a source");
  if (options.bind && !options.data.empty()) {
    mistakes.push_back(property + ": unknown option " + in_quotes(options.data.front()));
  }
  if ((options.superblock_flags & MS_REMOUNT) != 0 && !options.bind) {
    mistakes.push_back(property + ": 'remount' is no option of a new mount");
  }
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty()) {
    mistakes.push_back(property + ": needs both uidMappings and gidMappings");
  }
  if ((options.idmap || !mount.uid_mappings.empty()) && !options.bind) {
    mistakes.push_back(property + ": only a bind mount can map ids");
  }
}

void check_hooks(const std::vector<Hook>& hooks, const std::string& property, Mistakes& mistakes) {
  for (const Hook& hook : hooks) {
    if (!is_absolute(hook.path)) {
      mistakes.push_back(property + ": the path " + in_quotes(hook.path) + " is not absolute");
    }
    if (hook.timeout && *hook.timeout <= 0) {
      mistakes.push_back(property + ": the timeout must be above 0");
    }
  }
}

void check_namespaces(const Linux& linux, Mistakes& mistakes) {
  std::set<NamespaceType> seen;
  for (const Namespace& each : linux.namespaces) {
    const std::string property = "linux.namespaces." + std::string(namespace_name(each.type));
    if (!seen.insert(each.type).second) mistakes.push_back(property + ": given twice");
    if (!each.path.empty() && !is_absolute(each.path)) {
      mistakes.push_back(property + ": the path " + in_quotes(each.path) + " is not absolute");
    }
  }
  if (!has_private(linux, NamespaceType::mount)) {
    mistakes.emplace_back("linux.namespaces: a container needs a mount namespace");
  }
  if (!linux.time_offsets.empty() && !has_own(linux, NamespaceType::time)) {
    mistakes.emplace_back("linux.timeOffsets: needs a new time namespace");
  }
  for (const auto& [clock, offset] : linux.time_offsets) {
    if (clock != "monotonic" && clock != "boottime") {
      mistakes.push_back("linux.timeOffsets: unknown clock " + in_quotes(clock));
    }
    if (offset.nanosecs >= 1'000'000'000) {
      mistakes.push_back("linux.timeOffsets." + clock + ": nanosecs above a second");
    }
  }
}

void check_mappings(const std::vector<IdMapping>& mappings, const std::string& property,
                    Mistakes& mistakes) {
  if (mappings.size() > kMaxIdMappings) mistakes.push_back(property + ": more than 340 entries");
  std::vector<IdMapping> sorted = mappings;
  std::sort(sorted.begin(), sorted.end(), [](const IdMapping& left, const IdMapping& right) {
    return left.container_id < right.container_id;
  });
  std::uint64_t end = 0;
  for (const IdMapping& mapping : sorted) {
    if (mapping.size == 0) mistakes.push_back(property + ": an entry of size 0");
    if (mapping.container_id < end) mistakes.push_back(property + ": entries overlap");
    end = std::uint64_t{mapping.container_id} + mapping.size;
    if (end > kMaxUnixId + 1 || std::uint64_t{mapping.host_id} + mapping.size > kMaxUnixId + 1) {
      mistakes.push_back(property + ": an entry ends above the largest id");
    }
  }
}

void check_user_namespace(const Linux& linux, Mistakes& mistakes) {
  check_mappings(linux.uid_mappings, "linux.uidMappings", mistakes);
  check_mappings(linux.gid_mappings, "linux.gidMappings", mistakes);
  const bool has_maps = !linux.uid_mappings.empty() || !linux.gid_mappings.empty();
  if (has_maps && !has_private(linux, NamespaceType::user)) {
    mistakes.emplace_back("linux.uidMappings: needs a user namespace");
  }
  if (has_own(linux, NamespaceType::user) &&
      (linux.uid_mappings.empty() || linux.gid_mappings.empty())) {
    mistakes.emplace_back(
        "linux.namespaces.user: a new one needs linux.uidMappings and linux.gidMappings");
  }
}

void check_device(const Device& device, Mistakes& mistakes) {
  const std::string property = "linux.devices " + in_quotes(device.path);
  if (!is_absolute(device.path)) mistakes.push_back(property + ": the path is not absolute");
  if (device.file_mode && (*device.file_mode & ~07777U) != 0) {
    mistakes.push_back(property + ": the fileMode holds more than permissions");
  }
  const bool in_range =
      device.major >= 0 && device.major <= 0xfff && device.minor >= 0 && device.minor <= 0xfffff;
  if (device.type != 'p' && !in_range) mistakes.push_back(property + ": no such device number");
}

void check_device_rule(const DeviceRule& rule, Mistakes& mistakes) {
  if (rule.access.find_first_not_of("rwm") != std::string::npos) {
    mistakes.push_back("linux.resources.devices: the access " + in_quotes(rule.access) +
                       " is not of r, w and m");
  }
  // -1 is the specification's other way to say "all".
  if (rule.major.value_or(0) < -1 || rule.minor.value_or(0) < -1 ||
      rule.major.value_or(0) > 0xffffffff || rule.minor.value_or(0) > 0xffffffff) {
    mistakes.emplace_back("linux.resources.devices: no such device number");
  }
}

// A path below /proc/sys of plain names: one that goes up would lead to what is no namespace's.
bool is_plain_path(std::string_view path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

// Whether the kernel keeps `name` per namespace and this container has that namespace.
void check_sysctl(const Linux& linux, const std::string& given, Mistakes& mistakes) {
  static const std::set<std::string> kIpc = {
      "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",          "kernel.sem",
      "kernel.shmall", "kernel.shmmax", "kernel.shm_rmid_forced", "kernel.shmmni"};
  const std::string property = "linux.sysctl " + in_quotes(given);
  std::string name = given;
  // sysctl.d(5): a slash as first separator means that slashes separate and dots belong to names.
  if (const auto first = name.find_first_of("./");
      first != std::string::npos && name[first] == '/') {
    for (char& c : name) c = c == '/' ? '.' : (c == '.' ? '/' : c);
  }
  std::string path = name;
  for (char& c : path) c = c == '.' ? '/' : (c == '/' ? '.' : c);
  if (!is_plain_path(path)) {
    mistakes.push_back(property + ": not the name of a sysctl");
    return;
  }
  std::optional<NamespaceType> type;
  if (name.starts_with("net.")) type = NamespaceType::network;
  if (kIpc.contains(name) || name.starts_with("fs.mqueue.")) type = NamespaceType::ipc;
  if (name == "kernel.domainname") type = NamespaceType::uts;
  if (!type) {
    mistakes.push_back(property + ": sysctl \"" + name +
                       "\" is not in a separate kernel namespace");
  } else if (!has_private(linux, *type)) {
    mistakes.push_back(property + ": needs a " + std::string(namespace_name(*type)) +
                       " namespace of the container's own");
  }
}

void check_seccomp(const Seccomp& seccomp, Mistakes& mistakes) {
  for (const SeccompRule& rule : seccomp.syscalls) {
    for (const SeccompArgument& argument : rule.args) {
      if (argument.index > 5) {
        mistakes.emplace_back("linux.seccomp: a system call has arguments 0 to 5 only");
      }
    }
    if (rule.names.empty()) mistakes.emplace_back("linux.seccomp: a rule without a name");
  }
  try {
    seccomp_flags(seccomp.flags);
    check_seccomp_architectures(seccomp.architectures);
  } catch (const os::Error& error) {
    mistakes.push_back(std::string("linux.seccomp: ") + error.what());
  }
  if (needs_listener(seccomp) && !is_absolute(seccomp.listener_path)) {
    mistakes.emplace_back("linux.seccomp: SCMP_ACT_NOTIFY needs an absolute listenerPath");
  }
}

void check_resources(const Resources& resources, Mistakes& mistakes) {
  const std::string prefix = "linux.resources.";
  for (const DeviceRule& rule : resources.devices) check_device_rule(rule, mistakes);
  const MemoryResources& memory = resources.memory;
  const bool is_limited = memory.limit.value_or(-1) > 0;
  if (is_limited && memory.swap.value_or(-1) > 0 && *memory.swap < *memory.limit) {
    mistakes.push_back(prefix + "memory.swap: memory plus swap is below memory.limit");
  }
  if (is_limited && memory.reservation.value_or(0) > *memory.limit) {
    mistakes.push_back(prefix + "memory.reservation: above memory.limit");
  }
  if (memory.swappiness.value_or(0) > 100) {
    mistakes.push_back(prefix + "memory.swappiness: not within 0 to 100");
  }
  const auto& period = resources.cpu.period;
  if (period && *period != 0 && (*period < 1000 || *period > 1'000'000)) {
    mistakes.push_back(prefix + "cpu.period: not within 1000 to 1000000 µs");
  }
  const auto& quota = resources.cpu.quota;
  if (quota && *quota > 0 && *quota < 1000) {
    mistakes.push_back(prefix + "cpu.quota: below 1000 µs");
  }
  const auto& weight = resources.block_io.weight;
  if (weight && *weight != 0 && (*weight < 10 || *weight > 1000)) {
    mistakes.push_back(prefix + "blockIO.weight: not within 10 to 1000");
  }
  for (const auto& [file, text] : resources.unified) {
    const bool is_plain = file.find('/') == std::string::npos && file.find('.') != 0 &&
                          file.find('.') != std::string::npos && !file.starts_with("cgroup.");
    if (!is_plain)
      mistakes.push_back(prefix + "unified: no file of a controller: " + in_quotes(file));
  }
}

void check_linux(const Linux& linux, Mistakes& mistakes) {
  check_namespaces(linux, mistakes);
  check_user_namespace(linux, mistakes);
  for (const Device& device : linux.devices) check_device(device, mistakes);
  check_resources(linux.resources, mistakes);
  for (const auto& [name, text] : linux.sysctl) check_sysctl(linux, name, mistakes);
  if (linux.seccomp) check_seccomp(*linux.seccomp, mistakes);
  static const std::set<std::string> kPropagations = {"",         "shared",     "rshared",
                                                      "slave",    "rslave",     "private",
                                                      "rprivate", "unbindable", "runbindable"};
  if (!kPropagations.contains(linux.rootfs_propagation)) {
    mistakes.push_back("linux.rootfsPropagation: unknown propagation " +
                       in_quotes(linux.rootfs_propagation));
  }
  for (const auto* paths : {&linux.masked_paths, &linux.readonly_paths}) {
    for (const std::string& path : *paths) {
      if (!is_absolute(path)) {
        mistakes.push_back(std::string(paths == &linux.masked_paths ? "linux.maskedPaths"
                                                                    : "linux.readonlyPaths") +
                           ": " + in_quotes(path) + " is not absolute");
      }
    }
  }
  if (linux.personality && linux.personality->domain != "LINUX" &&
      linux.personality->domain != "LINUX32") {
    mistakes.push_back("linux.personality.domain: unknown domain " +
                       in_quotes(linux.personality->domain));
  }
  if (linux.cgroups_path.find("..") != std::string::npos) {
    mistakes.emplace_back("linux.cgroupsPath: holds '..'");
  }
  for (const std::string& property : linux.unsupported) {
    mistakes.push_back("linux." + property + ": this runtime does not support it");
  }
}

void check_names(const Spec& spec, Mistakes& mistakes) {
  if (spec.hostname.size() > kMaxHostname) {
    mistakes.emplace_back("hostname: longer than 64 bytes");
  }
  if (spec.domainname.size() > kMaxHostname) {
    mistakes.emplace_back("domainname: longer than 64 bytes");
  }
  if ((!spec.hostname.empty() || !spec.domainname.empty()) &&
      !has_private(spec.linux, NamespaceType::uts)) {
    mistakes.emplace_back("hostname: needs a uts namespace of the container's own");
  }
  const auto domain = spec.linux.sysctl.find("kernel.domainname");
  if (domain != spec.linux.sysctl.end() && !spec.domainname.empty() &&
      domain->second != spec.domainname) {
    mistakes.emplace_back("domainname: contradicts the sysctl kernel.domainname");
  }
}

}  // namespace

std::vector<std::string> validate(const Process& process) {
  Mistakes mistakes;
  if (process.args.empty() || process.args.front().empty()) {
    mistakes.emplace_back("process.args: no command specified");
  }
  if (!is_absolute(process.cwd)) {
    mistakes.push_back("process.cwd: " + in_quotes(process.cwd) + " is not absolute");
  }
  for (const std::string& variable : process.env) {
    if (variable.find('=') == 0 || variable.find('=') == std::string::npos) {
      mistakes.push_back("process.env: " + in_quotes(variable) + " is not NAME=VALUE");
    }
  }
  check_user(process.user, mistakes);
  if (process.capabilities) check_capabilities(*process.capabilities, mistakes);
  check_rlimits(process.rlimits, mistakes);
  check_scheduling(process, mistakes);
  const std::int32_t adjustment = process.oom_score_adj.value_or(0);
  if (adjustment < -1000 || adjustment > 1000) {
    mistakes.emplace_back("process.oomScoreAdj: not within -1000 to 1000");
  }
  return mistakes;
}

std::vector<std::string> validate(const Spec& spec) {
  Mistakes mistakes;
  if (!is_supported_version(spec.oci_version)) {
    mistakes.push_back("ociVersion: " + in_quotes(spec.oci_version) + " is not a version 1");
  }
  if (spec.process) {
    for (std::string& mistake : validate(*spec.process)) mistakes.push_back(std::move(mistake));
  }
  if (!spec.root || spec.root->path.empty()) mistakes.emplace_back("root.path: missing");
  check_names(spec, mistakes);
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    check_mount(spec.mounts[i], "mounts[" + std::to_string(i) + "]", mistakes);
  }
  check_hooks(spec.hooks.prestart, "hooks.prestart", mistakes);
  check_hooks(spec.hooks.create_runtime, "hooks.createRuntime", mistakes);
  check_hooks(spec.hooks.create_container, "hooks.createContainer", mistakes);
  check_hooks(spec.hooks.start_container, "hooks.startContainer", mistakes);
  check_hooks(spec.hooks.poststart, "hooks.poststart", mistakes);
  check_hooks(spec.hooks.poststop, "hooks.poststop", mistakes);
  check_linux(spec.linux, mistakes);
  return mistakes;
}

}  // namespace container
