// A service of a resolved project: every attribute, typed, and what its attributes come to.
#pragma once

#include "manifests/attributes.hpp"
#include "manifests/deploy.hpp"

namespace manifests {

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

}  // namespace manifests
