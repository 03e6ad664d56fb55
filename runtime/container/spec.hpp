// The OCI runtime configuration (runtime-spec 1.2, config.md and config-linux.md) as values. Names
// follow the specification; what the specification leaves optional is optional or empty here. JSON
// is in spec_json.hpp, the rules that a value must keep in validate().
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/container/seccomp.hpp"

namespace container {

inline constexpr std::string_view kOciVersion = "1.2.0";

struct ConsoleSize {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
};

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> umask;
  std::vector<std::uint32_t> additional_gids;
};

struct Rlimit {
  std::string type;  ///< "RLIMIT_NOFILE" …, see rlimit_number()
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

/// Five sets of "CAP_…" names (capabilities(7)).
struct Capabilities {
  std::vector<std::string> bounding;
  std::vector<std::string> effective;
  std::vector<std::string> inheritable;
  std::vector<std::string> permitted;
  std::vector<std::string> ambient;
};

/// sched_setattr(2).
struct Scheduler {
  std::string policy;
  std::int32_t nice = 0;
  std::int32_t priority = 0;
  std::vector<std::string> flags;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};

/// ioprio_set(2).
struct IoPriority {
  std::string io_class;  ///< "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE" or "IOPRIO_CLASS_IDLE"
  std::int32_t priority = 0;
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;  ///< "K=V"
  std::string cwd = "/";
  std::optional<Capabilities> capabilities;  ///< absent: no capability at all
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::string apparmor_profile;
  std::optional<std::int32_t> oom_score_adj;
  std::string selinux_label;
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
};

struct Root {
  std::string path;  ///< absolute, or relative to the bundle
  bool readonly = false;
};

struct IdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
};

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
};

struct Hook {
  std::string path;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::optional<std::int32_t> timeout;  ///< seconds
};

struct Hooks {
  std::vector<Hook> prestart;
  std::vector<Hook> create_runtime;
  std::vector<Hook> create_container;
  std::vector<Hook> start_container;
  std::vector<Hook> poststart;
  std::vector<Hook> poststop;
};

enum class NamespaceType { mount, pid, network, ipc, uts, user, cgroup, time };

/// The name in config.json: "mount", "pid", "network", …
std::string_view namespace_name(NamespaceType type) noexcept;
/// The CLONE_NEW… flag (namespaces(7)).
std::uint64_t namespace_clone_flag(NamespaceType type) noexcept;
/// The name below /proc/PID/ns: "mnt", "pid", "net", …
std::string_view namespace_proc_name(NamespaceType type) noexcept;

struct Namespace {
  NamespaceType type = NamespaceType::mount;
  std::string path;  ///< join this one; empty: a new one
};

struct Device {
  char type = 'c';  ///< 'c', 'u' (unbuffered character), 'b', 'p' (fifo)
  std::string path;
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint32_t> file_mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

/// A rule of the device controller; what is absent matches all.
struct DeviceRule {
  bool allow = false;
  char type = 'a';  ///< 'a', 'b' or 'c'
  std::optional<std::int64_t> major;
  std::optional<std::int64_t> minor;
  std::string access;  ///< a subset of "rwm"; empty: all
};

/// Bytes; -1 means unlimited.
struct MemoryResources {
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> reservation;
  std::optional<std::int64_t> swap;  ///< memory plus swap
  std::optional<std::uint64_t> swappiness;
  std::optional<bool> disable_oom_killer;
};

struct CpuResources {
  std::optional<std::uint64_t> shares;
  std::optional<std::int64_t> quota;  ///< µs per period; -1 means unlimited
  std::optional<std::uint64_t> burst;
  std::optional<std::uint64_t> period;  ///< µs
  std::optional<std::int64_t> realtime_runtime;
  std::optional<std::uint64_t> realtime_period;
  std::string cpus;
  std::string mems;
  std::optional<std::int64_t> idle;
};

struct WeightDevice {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
};

struct ThrottleDevice {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::uint64_t rate = 0;  ///< bytes or operations per second
};

struct BlockIoResources {
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
  std::vector<WeightDevice> weight_devices;
  std::vector<ThrottleDevice> read_bps;
  std::vector<ThrottleDevice> write_bps;
  std::vector<ThrottleDevice> read_iops;
  std::vector<ThrottleDevice> write_iops;
};

struct HugepageLimit {
  std::string page_size;  ///< "2MB", "1GB" …
  std::uint64_t limit = 0;
};

struct NetworkResources {
  std::optional<std::uint32_t> class_id;
  std::map<std::string, std::uint32_t> priorities;
};

struct RdmaLimit {
  std::optional<std::uint32_t> handles;
  std::optional<std::uint32_t> objects;
};

struct Resources {
  std::vector<DeviceRule> devices;
  MemoryResources memory;
  CpuResources cpu;
  std::optional<std::int64_t> pids_limit;  ///< ≤ 0 means unlimited
  BlockIoResources block_io;
  std::vector<HugepageLimit> hugepage_limits;
  NetworkResources network;
  std::map<std::string, RdmaLimit> rdma;
  std::map<std::string, std::string> unified;  ///< file → text, for cgroup v2 as it is
};

struct Personality {
  std::string domain;  ///< "LINUX" or "LINUX32"
  std::vector<std::string> flags;
};

struct TimeOffset {
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
};

struct Linux {
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
  std::vector<Device> devices;
  Resources resources;
  std::string cgroups_path;
  std::map<std::string, std::string> sysctl;
  std::optional<Seccomp> seccomp;
  std::string rootfs_propagation;  ///< "", "shared", "slave", "private" or "unbindable"
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::string mount_label;
  std::optional<Personality> personality;
  std::map<std::string, TimeOffset> time_offsets;  ///< "monotonic", "boottime"
  /// Properties that are in the file and ask for what this runtime does not do.
  std::vector<std::string> unsupported;

  /// The entry of `type`, null when the container shares the runtime's own.
  const Namespace* find_namespace(NamespaceType type) const noexcept;
};

struct Spec {
  std::string oci_version{kOciVersion};
  std::optional<Process> process;
  std::optional<Root> root;
  std::string hostname;
  std::string domainname;
  std::vector<Mount> mounts;
  Hooks hooks;
  Linux linux;
  std::map<std::string, std::string> annotations;
};

/// Every mistake in `spec`, each naming the property ("process.cwd: …"); empty when it may be run.
/// Touches nothing outside `spec`.
std::vector<std::string> validate(const Spec& spec);
/// The same for a process alone, as `exec` takes it.
std::vector<std::string> validate(const Process& process);
/// Whether `id` may name a container: [A-Za-z0-9_+-][A-Za-z0-9_+.-]*, at most 1024 bytes.
bool is_valid_container_id(std::string_view id) noexcept;

/// The RLIMIT_… number for getrlimit(2); nothing for an unknown name.
std::optional<int> rlimit_number(std::string_view name) noexcept;

}  // namespace container
