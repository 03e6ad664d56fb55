#include "runtime/container/bundle.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "runtime/container/capability.hpp"
#include "runtime/container/spec_json.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

std::vector<Namespace> default_namespaces(const DefaultSpecOptions& options) {
  std::vector<Namespace> namespaces = {
      {NamespaceType::mount}, {NamespaceType::pid}, {NamespaceType::ipc}, {NamespaceType::uts}};
  if (!options.host_network) namespaces.push_back({NamespaceType::network});
  // Docker's rule: on v1 the container sees the host's cgroup paths.
  if (options.unified_cgroup) namespaces.push_back({NamespaceType::cgroup});
  return namespaces;
}

std::vector<Mount> default_mounts(const DefaultSpecOptions& options) {
  const char* access = options.privileged && !options.readonly_root ? "rw" : "ro";
  return {
      {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"/dev/pts",
       "devpts",
       "devpts",
       {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", access}},
      {"/sys/fs/cgroup", "cgroup", "cgroup", {access, "nosuid", "noexec", "nodev"}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
      {"/dev/shm",
       "tmpfs",
       "shm",
       {"nosuid", "noexec", "nodev", "mode=1777", "size=" + std::to_string(options.shm_size)}},
  };
}

// /sys/devices/system/cpu/possible: "0-7" or "0,2-3".
unsigned possible_cpus() {
  const auto text = os::read_file_if_exists("/sys/devices/system/cpu/possible", 4096);
  if (!text) return 0;
  const auto last = text->find_last_of("-,");
  const std::string number = last == std::string::npos ? *text : text->substr(last + 1);
  return static_cast<unsigned>(std::strtoul(number.c_str(), nullptr, 10)) + 1;
}

std::vector<std::string> default_masked_paths() {
  std::vector<std::string> paths = {
      "/proc/acpi",
      "/proc/asound",
      "/proc/interrupts",
      "/proc/kcore",
      "/proc/keys",
      "/proc/latency_stats",
      "/proc/sched_debug",
      "/proc/scsi",
      "/proc/timer_list",
      "/proc/timer_stats",
      "/sys/devices/virtual/powercap",
      "/sys/firmware",
  };
  for (unsigned cpu = 0, count = possible_cpus(); cpu < count; ++cpu) {
    const std::string path =
        "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/thermal_throttle";
    if (os::exists(path)) paths.push_back(path);
  }
  return paths;
}

Capabilities capabilities_of(CapabilityMask mask) {
  const std::vector<std::string> names = capability_names(mask);
  return {
      .bounding = names, .effective = names, .inheritable = {}, .permitted = names, .ambient = {}};
}

Process default_process(CapabilityMask capabilities) {
  Process process;
  process.env = {std::string(kDefaultPath)};
  // An engine may itself be protected from the OOM killer; its containers are not.
  process.oom_score_adj = 0;
  process.capabilities = capabilities_of(capabilities);
  return process;
}

void confine(Spec& spec, CapabilityMask capabilities) {
  spec.linux.resources.devices = default_device_rules();
  spec.linux.masked_paths = default_masked_paths();
  spec.linux.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                               "/proc/sysrq-trigger"};
  spec.linux.seccomp = default_seccomp(seccomp_environment(capability_names(capabilities)));
}

Device device_from(const struct stat& status, const std::string& path) {
  return {.type = S_ISBLK(status.st_mode) ? 'b' : 'c',
          .path = path,
          .major = static_cast<std::int64_t>(major(status.st_rdev)),
          .minor = static_cast<std::int64_t>(minor(status.st_rdev)),
          .file_mode = status.st_mode & 07777U,
          .uid = status.st_uid,
          .gid = status.st_gid};
}

bool is_device(const struct stat& status) {
  return S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
}

// Depth first, by name; stays on the file system of `directory` and follows no link.
void collect_devices(const std::string& directory, const std::string& shown_as, dev_t file_system,
                     int depth, std::vector<Device>& devices) {
  if (depth > 16) return;
  for (const std::string& name : os::list_directory(directory)) {
    const std::string path = directory + "/" + name;
    const std::string shown = shown_as + "/" + name;
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) continue;  // gone meanwhile
    if (S_ISDIR(status.st_mode) && status.st_dev == file_system) {
      collect_devices(path, shown, file_system, depth + 1, devices);
    } else if (is_device(status)) {
      devices.push_back(device_from(status, shown));
    }
  }
}

}  // namespace

const std::vector<Device>& default_devices() {
  static const std::vector<Device> devices = [] {
    constexpr std::uint32_t kMode = 0666;
    const auto node = [](const char* path, std::int64_t major, std::int64_t minor) {
      return Device{.type = 'c',
                    .path = path,
                    .major = major,
                    .minor = minor,
                    .file_mode = kMode,
                    .uid = 0,
                    .gid = 0};
    };
    return std::vector<Device>{node("/dev/null", 1, 3),    node("/dev/zero", 1, 5),
                               node("/dev/full", 1, 7),    node("/dev/random", 1, 8),
                               node("/dev/urandom", 1, 9), node("/dev/tty", 5, 0)};
  }();
  return devices;
}

std::vector<DeviceRule> default_device_rules() {
  constexpr auto kAny = std::nullopt;
  std::vector<DeviceRule> rules = {
      {.allow = false, .type = 'a', .major = kAny, .minor = kAny, .access = "rwm"},
      {.allow = true, .type = 'c', .major = kAny, .minor = kAny, .access = "m"},
      {.allow = true, .type = 'b', .major = kAny, .minor = kAny, .access = "m"},
  };
  for (const Device& device : default_devices()) {
    rules.push_back({true, device.type, device.major, device.minor, "rwm"});
  }
  rules.push_back({true, 'c', 5, 1, "rwm"});       // console
  rules.push_back({true, 'c', 5, 2, "rwm"});       // ptmx
  rules.push_back({true, 'c', 136, kAny, "rwm"});  // pseudo terminals
  rules.push_back({true, 'c', 10, 200, "rwm"});    // tun
  return rules;
}

std::vector<DeviceRule> complete_device_rules(std::vector<DeviceRule> rules) {
  const auto is_all = [](const DeviceRule& rule) { return rule.type == 'a'; };
  const auto allows_all = [&](const DeviceRule& rule) { return rule.allow && is_all(rule); };
  if (std::any_of(rules.begin(), rules.end(), allows_all)) return rules;
  const std::vector<DeviceRule> defaults = default_device_rules();
  if (rules.empty() || !is_all(rules.front())) rules.insert(rules.begin(), defaults.front());
  for (auto rule = defaults.begin() + 1; rule != defaults.end(); ++rule) {
    const bool is_there = std::any_of(rules.begin(), rules.end(), [&](const DeviceRule& each) {
      return each.allow && each.type == rule->type && each.major == rule->major &&
             each.minor == rule->minor && each.access == rule->access;
    });
    if (!is_there) rules.push_back(*rule);
  }
  return rules;
}

std::vector<Device> host_devices(const std::string& directory) {
  struct stat status {};
  os::check(::stat(directory.c_str(), &status), [&] { return "stat '" + directory + "'"; });
  std::vector<Device> devices;
  collect_devices(directory, "/dev", status.st_dev, 0, devices);
  std::erase_if(devices, [](const Device& device) { return device.path == "/dev/console"; });
  return devices;
}

std::vector<Device> devices_from_path(const std::string& path, const std::string& container_path) {
  struct stat status {};
  os::check(::stat(path.c_str(), &status), [&] { return "find the device '" + path + "'"; });
  if (is_device(status)) return {device_from(status, container_path)};
  std::vector<Device> devices;
  if (S_ISDIR(status.st_mode)) {
    collect_devices(path, container_path, status.st_dev, 0, devices);
  }
  if (devices.empty()) throw os::Error("'" + path + "' is no device and holds none");
  return devices;
}

Spec default_spec(const DefaultSpecOptions& options) {
  const CapabilityMask capabilities = options.privileged
                                          ? own_capabilities()
                                          : resolve_capabilities(options.cap_add, options.cap_drop);
  Spec spec;
  spec.process = default_process(capabilities);
  spec.root = Root{.path = "rootfs", .readonly = options.readonly_root};
  spec.mounts = default_mounts(options);
  spec.linux.namespaces = default_namespaces(options);
  if (!options.host_network) {
    spec.linux.sysctl = {{"net.ipv4.ip_unprivileged_port_start", "0"},
                         {"net.ipv4.ping_group_range", "0 2147483647"}};
  }
  if (options.privileged) {
    spec.linux.devices = host_devices();
    spec.linux.resources.devices = {{.allow = true, .type = 'a', .access = "rwm"}};
  } else {
    confine(spec, capabilities);
  }
  return spec;
}

Spec read_bundle(const std::string& directory) {
  const std::string path = directory + "/" + std::string(kConfigFile);
  try {
    return spec_from_json(parse_json(os::read_file(path), path));
  } catch (const os::Error& error) {
    throw error.in("read the bundle '" + directory + "'");
  }
}

void write_bundle(const std::string& directory, const Spec& spec) {
  os::write_file_atomic(directory + "/" + std::string(kConfigFile),
                        spec_to_json(spec).dump() + "\n");
}

}  // namespace container
