// A resolved project: what the user's files mean once they are merged, interpolated, checked and
// completed. Plain immutable values; the same input gives the same Stack anywhere. `decode` makes
// it from the node tree, `print` turns it into what `config` shows and into the JSON the supervisor
// is given. Names and meanings are those of the Compose Specification (05-services, 06-networks,
// 07-volumes, 08-configs, 09-secrets, build, deploy, develop).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/service.hpp"
#include "manifests/source.hpp"

namespace manifests {

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
  bool unnamed = false;  ///< `name` is written, and empty
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
  bool unnamed = false;  ///< `name` is written, and empty
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
  bool unnamed = false;  ///< `name` is written, and empty
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
