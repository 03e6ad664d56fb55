// The values that services are made of: commands, health, networks, mounts, limits. Plain and
// immutable; names and meanings are those of the Compose Specification (05-services).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

}  // namespace manifests
