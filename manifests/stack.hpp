// A resolved project: what the user's files mean once they are merged, interpolated, checked and
// completed. Plain immutable values; the same input gives the same Stack anywhere. `decode` makes
// it from the node tree, `print` turns it into what `config` shows and into the JSON the supervisor
// is given. Names and meanings are those of the Compose Specification (05-services, 06-networks,
// 07-volumes, 08-configs, 09-secrets, build, deploy, develop).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/source.hpp"

namespace manifests {

using Json = nlohmann::ordered_json;

/// A size in bytes. Zero is "not set" wherever a limit is meant, -1 "unlimited" where allowed.
struct Bytes {
  std::int64_t value = 0;
  explicit operator bool() const { return value != 0; }
  friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

/// Permission bits of a mounted config or secret.
struct FileMode {
  std::uint32_t bits = 0;
  friend auto operator<=>(const FileMode&, const FileMode&) = default;
};

using Duration = std::chrono::nanoseconds;
using Strings = std::vector<std::string>;
using Labels = std::map<std::string, std::string>;
using Options = std::map<std::string, std::string>;
/// A variable without value is declared but unset: it is not put into the container, and takes
/// away what the image or an env file says.
using Environment = std::map<std::string, std::optional<std::string>>;
/// `x-*` keys, kept as written.
using Extensions = std::map<std::string, Json>;

// ---------------------------------------------------------------- command, hooks, health

/// Argument vector; unset (the image decides) differs from empty (no arguments).
using Command = std::optional<Strings>;

struct Hook {
  Command command;
  std::string user;
  bool privileged = false;
  std::string working_dir;
  Environment environment;
  std::string image;         ///< pre_start only; empty = the service's
  bool per_replica = false;  ///< pre_start only
  Extensions extensions;
};

/// Each key that is unset comes from the image's HEALTHCHECK, else from the default (A6).
struct Healthcheck {
  Strings test;  ///< first item CMD, CMD-SHELL or NONE; empty = the image's
  std::optional<Duration> timeout;
  std::optional<Duration> interval;
  std::optional<std::uint64_t> retries;
  std::optional<Duration> start_period;
  std::optional<Duration> start_interval;
  bool disable = false;
  Extensions extensions;

  /// Health checking is off: `disable: true` or `test: ["NONE"]`.
  bool disabled() const { return disable || (!test.empty() && test.front() == "NONE"); }
};

// ---------------------------------------------------------------- dependencies

enum class Condition { service_started, service_healthy, service_completed_successfully };

struct Dependency {
  Condition condition = Condition::service_started;
  bool restart = false;
  bool required = true;
  Extensions extensions;
};

// ---------------------------------------------------------------- network

enum class Protocol { tcp, udp, sctp };

struct Port {
  std::string name;
  std::string mode = "ingress";
  std::string host_ip;       ///< empty = all addresses
  std::uint16_t target = 0;  ///< in the container
  std::string published;     ///< "8080", a range "8000-8010" (first free), empty = ephemeral
  Protocol protocol = Protocol::tcp;
  std::string app_protocol;
  Extensions extensions;

  /// First and last host port; {0, 0} when ephemeral.
  std::pair<std::uint16_t, std::uint16_t> published_range() const;
};

struct NetworkAttachment {
  Strings aliases;
  Options driver_opts;
  std::int64_t gw_priority = 0;
  std::string interface_name;
  std::string ipv4_address;
  std::string ipv6_address;
  Strings link_local_ips;
  std::string mac_address;
  std::int64_t priority = 0;
  bool written = false;  ///< given as a map, however empty; null otherwise
  Extensions extensions;
};

// ---------------------------------------------------------------- mounts and files

enum class MountType { bind, volume, tmpfs, image, npipe, cluster };

struct BindOptions {
  std::string selinux;      ///< "z", "Z" or empty
  std::string propagation;  ///< empty = rprivate
  std::optional<bool> create_host_path;
  std::string recursive;  ///< enabled, disabled, writable, readonly; empty = enabled
  Extensions extensions;
};

struct VolumeOptions {
  Labels labels;
  bool nocopy = false;
  std::string subpath;
  Extensions extensions;
};

struct TmpfsOptions {
  Bytes size;
  std::uint32_t mode = 0;
  Extensions extensions;
};

struct ImageOptions {
  std::string subpath;
  Extensions extensions;
};

struct Mount {
  MountType type = MountType::volume;
  std::string source;  ///< absolute path, key of `volumes`, image; empty = anonymous
  std::string target;
  bool read_only = false;
  std::string consistency;
  std::optional<BindOptions> bind;
  std::optional<VolumeOptions> volume;
  std::optional<TmpfsOptions> tmpfs;
  std::optional<ImageOptions> image;
  Extensions extensions;

  /// A bind source that is missing is made as a directory (A8: the default, also in long form).
  bool create_host_path() const { return !bind || bind->create_host_path.value_or(true); }
};

/// A config or secret as a service uses it (A11).
struct FileMount {
  std::string source;
  std::string target;  ///< as written; see config_path() and secret_path()
  std::string uid;
  std::string gid;
  std::optional<FileMode> mode;
  Extensions extensions;
};

/// Where a config or secret appears in the container: the target made absolute, or the default.
std::string config_path(const FileMount& mount);
std::string secret_path(const FileMount& mount);

struct EnvFile {
  std::string path;
  bool required = true;
  std::string format;  ///< empty or "raw"
};

struct Device {
  std::string source;
  std::string target;
  std::string permissions;
  Extensions extensions;
};

// ---------------------------------------------------------------- limits

struct Ulimit {
  std::optional<std::int64_t> single;  ///< soft and hard alike; -1 = unlimited
  std::int64_t soft = 0;
  std::int64_t hard = 0;
  Extensions extensions;

  std::int64_t soft_limit() const { return single.value_or(soft); }
  std::int64_t hard_limit() const { return single.value_or(hard); }
};

struct WeightDevice {
  std::string path;
  std::uint16_t weight = 0;
  Extensions extensions;
};

struct ThrottleDevice {
  std::string path;
  Bytes rate;  ///< bytes or operations per second
  Extensions extensions;
};

struct BlkioConfig {
  std::uint16_t weight = 0;
  std::vector<WeightDevice> weight_device;
  std::vector<ThrottleDevice> device_read_bps;
  std::vector<ThrottleDevice> device_read_iops;
  std::vector<ThrottleDevice> device_write_bps;
  std::vector<ThrottleDevice> device_write_iops;
  Extensions extensions;
};

struct DeviceRequest {
  Strings capabilities;
  std::string driver;
  std::int64_t count = 0;  ///< -1 = all
  Strings device_ids;
  Options options;
};

struct GenericResource {
  struct Discrete {
    std::string kind;
    std::int64_t value = 0;
    Extensions extensions;
  };
  std::optional<Discrete> discrete_resource_spec;
  Extensions extensions;
};

struct Resource {
  double cpus = 0;  ///< 0 = not set
  Bytes memory;
  std::int64_t pids = 0;
  std::vector<DeviceRequest> devices;
  std::vector<GenericResource> generic_resources;
  Extensions extensions;
};

struct Resources {
  std::optional<Resource> limits;
  std::optional<Resource> reservations;
  Extensions extensions;
};

// ---------------------------------------------------------------- deploy

struct UpdateConfig {
  std::optional<std::uint64_t> parallelism;
  Duration delay{};
  std::string failure_action;
  Duration monitor{};
  double max_failure_ratio = 0;
  std::string order;
  Extensions extensions;
};

struct DeployRestartPolicy {
  std::string condition;
  std::optional<Duration> delay;
  std::optional<std::uint64_t> max_attempts;
  std::optional<Duration> window;
  Extensions extensions;
};

struct PlacementPreference {
  std::string spread;
  Extensions extensions;
};

struct Placement {
  Strings constraints;
  std::vector<PlacementPreference> preferences;
  std::uint64_t max_replicas_per_node = 0;
  Extensions extensions;
};

struct Deploy {
  std::string mode;
  std::optional<std::int64_t> replicas;
  Labels labels;
  std::optional<UpdateConfig> update_config;
  std::optional<UpdateConfig> rollback_config;
  Resources resources;
  std::optional<DeployRestartPolicy> restart_policy;
  Placement placement;
  std::string endpoint_mode;
  Extensions extensions;
};

// ---------------------------------------------------------------- build, develop, the rest

struct SshKey {
  std::string id;
  std::string path;  ///< empty = the agent
};

struct Build {
  std::string context;
  std::string dockerfile;
  std::string dockerfile_inline;
  Strings entitlements;
  Environment args;
  std::string provenance;
  std::string sbom;
  std::vector<SshKey> ssh;
  Labels labels;
  Strings cache_from;
  Strings cache_to;
  bool no_cache = false;
  Strings no_cache_filter;
  Options additional_contexts;
  bool pull = false;
  std::map<std::string, Strings> extra_hosts;
  std::string isolation;
  std::string network;
  std::string target;
  std::vector<FileMount> secrets;
  Bytes shm_size;
  Strings tags;
  std::map<std::string, Ulimit> ulimits;
  Strings platforms;
  bool privileged = false;
  Extensions extensions;
};

enum class WatchAction { sync, rebuild, restart, sync_restart, sync_exec };

struct WatchRule {
  std::string path;
  WatchAction action = WatchAction::sync;
  std::string target;
  Hook exec;
  Strings include;
  Strings ignore;
  bool initial_sync = false;
  Extensions extensions;
};

struct Develop {
  std::vector<WatchRule> watch;
  Extensions extensions;
};

struct Logging {
  std::string driver;
  Options options;
  Extensions extensions;
};

struct CredentialSpec {
  std::string config;
  std::string file;
  std::string registry;
  Extensions extensions;
};

struct Provider {
  std::string type;
  std::map<std::string, Strings> options;
  Extensions extensions;
};

struct ModelUse {
  std::string endpoint_var;
  std::string model_var;
  bool written = false;  ///< given as a map, however empty; null otherwise
  Extensions extensions;
};

// ---------------------------------------------------------------- what a service comes to

/// Of `restart` and `deploy.restart_policy`, the one that holds (A2, A4).
struct RestartPolicy {
  enum class When { never, on_failure, always, unless_stopped };
  When when = When::never;
  std::uint64_t max_attempts = 0;  ///< 0 = no cap
  friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;
};

/// Of the service's own limits and `deploy.resources`, those that hold. Zero = not set.
struct Limits {
  double cpus = 0;
  Bytes memory;
  Bytes memory_reservation;
  std::int64_t pids = 0;  ///< -1 = unlimited
};

/// `pull_policy`, parsed. `refresh` pulls when the image is older than `older_than`.
struct PullPolicy {
  enum class When { missing, always, never, build, refresh };
  When when = When::missing;
  Duration older_than{};
};

/// Where the value of a namespace attribute points: `service:x`, `container:x`, or neither.
struct NamespaceTarget {
  std::string service;
  std::string container;
};
NamespaceTarget namespace_target(std::string_view mode);

struct Service {
  std::string name;
  Strings profiles;
  Options annotations;
  std::optional<bool> attach;
  std::optional<Build> build;
  std::optional<Develop> develop;
  std::optional<BlkioConfig> blkio_config;
  Strings cap_add;
  Strings cap_drop;
  std::string cgroup_parent;
  std::string cgroup;
  std::int64_t cpu_count = 0;
  double cpu_percent = 0;
  std::int64_t cpu_period = 0;      ///< microseconds
  std::int64_t cpu_quota = 0;       ///< microseconds
  std::int64_t cpu_rt_period = 0;   ///< microseconds
  std::int64_t cpu_rt_runtime = 0;  ///< microseconds
  double cpus = 0;
  std::string cpuset;
  std::int64_t cpu_shares = 0;
  Command command;
  std::vector<FileMount> configs;
  std::string container_name;
  std::optional<CredentialSpec> credential_spec;
  std::map<std::string, Dependency> depends_on;
  std::optional<Deploy> deploy;
  Strings device_cgroup_rules;
  std::vector<Device> devices;
  Strings dns;
  Strings dns_opt;
  Strings dns_search;
  std::string domainname;
  Command entrypoint;
  std::optional<Provider> provider;
  Environment environment;
  std::vector<EnvFile> env_file;  ///< empty once merged into `environment`
  Strings expose;
  Strings external_links;
  std::map<std::string, Strings> extra_hosts;  ///< host name → addresses or "host-gateway"
  Strings group_add;
  std::vector<DeviceRequest> gpus;
  std::string hostname;
  std::optional<Healthcheck> healthcheck;
  std::string image;
  std::optional<bool> init;
  std::string ipc;
  std::string isolation;
  Labels labels;
  Strings label_file;  ///< empty once merged into `labels`
  Strings links;
  std::optional<Logging> logging;
  Bytes mem_limit;
  Bytes mem_reservation;
  Bytes memswap_limit;
  Bytes mem_swappiness;
  std::string mac_address;
  std::map<std::string, ModelUse> models;
  std::string network_mode;
  std::map<std::string, NetworkAttachment> networks;
  bool oom_kill_disable = false;
  std::int64_t oom_score_adj = 0;
  std::string pid;
  std::int64_t pids_limit = 0;
  std::string platform;
  std::vector<Port> ports;
  bool privileged = false;
  std::string pull_policy;
  std::string pull_refresh_after;
  bool read_only = false;
  std::string restart;
  std::string runtime;
  std::optional<std::int64_t> scale;
  std::vector<FileMount> secrets;
  Strings security_opt;
  Bytes shm_size;
  bool stdin_open = false;
  std::optional<Duration> stop_grace_period;
  std::string stop_signal;
  Options storage_opt;
  Options sysctls;
  Strings tmpfs;
  bool tty = false;
  std::map<std::string, Ulimit> ulimits;
  bool use_api_socket = false;
  std::string user;
  std::string userns_mode;
  std::string uts;
  std::vector<Mount> volumes;
  Strings volumes_from;
  std::string working_dir;
  std::vector<Hook> pre_start;
  std::vector<Hook> post_start;
  std::vector<Hook> pre_stop;
  Extensions extensions;

  /// How many containers: `scale`, else `deploy.replicas`, else 1.
  std::int64_t replicas() const;
  RestartPolicy restart_policy() const;
  Limits limits() const;
  PullPolicy pull() const;
  /// Before SIGKILL; 10 s unless `stop_grace_period` says otherwise.
  Duration grace_period() const { return stop_grace_period.value_or(std::chrono::seconds(10)); }
  /// Its networks in the order their interfaces are made: by falling priority, then by name (A7).
  std::vector<std::string> networks_by_priority() const;
};

// ---------------------------------------------------------------- top-level resources

struct IpamPool {
  std::string subnet;
  std::string gateway;
  std::string ip_range;
  Options aux_addresses;
  Extensions extensions;
};

struct Ipam {
  std::string driver;
  std::vector<IpamPool> config;
  Options options;
  Extensions extensions;
};

struct Network {
  std::string name;
  std::string driver;
  Options driver_opts;
  Ipam ipam;
  bool external = false;
  bool internal = false;
  bool attachable = false;
  Labels labels;
  std::optional<bool> enable_ipv4;
  std::optional<bool> enable_ipv6;
  Extensions extensions;
};

struct Volume {
  std::string name;
  std::string driver;
  Options driver_opts;
  bool external = false;
  Labels labels;
  Extensions extensions;
};

/// A top-level config or secret (A10). `content` is set once the source is `environment` and the
/// variable is set, or when written inline; a `file` is read when a container is made.
struct FileObject {
  std::string name;
  std::string file;
  std::string environment;
  std::optional<std::string> content;
  bool external = false;
  Labels labels;
  std::string driver;
  Options driver_opts;
  std::string template_driver;
  Extensions extensions;
};

struct Model {
  std::string name;
  std::string model;
  std::int64_t context_size = 0;
  Strings runtime_flags;
  Extensions extensions;
};

/// Dotted path of a value ("services.web.ports[0]") → where it was written.
using Positions = std::map<std::string, Position, std::less<>>;

struct Stack {
  std::string name;
  std::string working_directory;          ///< the project directory, absolute
  std::vector<std::string> config_files;  ///< absolute paths
  std::map<std::string, Service> services;
  std::map<std::string, Network> networks;
  std::map<std::string, Volume> volumes;
  std::map<std::string, FileObject> secrets;
  std::map<std::string, FileObject> configs;
  std::map<std::string, Model> models;
  Extensions extensions;
  std::map<std::string, Service> disabled_services;  ///< whose profiles are not active
  std::map<std::string, std::string> environment;    ///< the project's, for what is read late
  Positions positions;                               ///< empty when made from JSON

  /// Where the value at `path`, or its nearest ancestor, was written; nullptr when unknown.
  const Position* position(std::string_view path) const;
};

}  // namespace manifests
