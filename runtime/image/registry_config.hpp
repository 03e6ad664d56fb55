// How a registry is reached on this machine: where its names lead, whom to trust for it, what
// stands in for it. Read from the places that Docker, containers and containerd read:
// certs.d/HOST/{*.crt,*.cert,*.key}, certs.d/HOST/hosts.toml, daemon.json.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/image/http_client.hpp"

namespace image {

/// One server that can be asked for what a registry has.
struct Endpoint {
  std::string url;          ///< "https://host[:port]", with a path where the mirror has one
  std::string credentials;  ///< the host whose credentials are sent: "docker.io"
  std::string origin;       ///< a mirror is told whom it stands for (`?ns=`); empty: the registry
  TlsOptions tls;
  bool insecure = false;  ///< https without verification, and http when that fails
  bool pull = true;
  bool resolve = true;  ///< trusted to say what a tag means
  bool push = true;
  std::vector<std::pair<std::string, std::string>> headers;
  bool is_mirror() const { return !origin.empty(); }
};

/// A part of containerd's hosts.toml.
struct HostsFile {
  std::string server;           ///< in place of the registry itself; empty: it
  std::vector<Endpoint> hosts;  ///< in order; `tls.authorities` and `tls.certificate` hold paths
};

class RegistryConfig {
 public:
  /// The machine's and the user's own (`HOME`); files that cannot be read as what they are throw
  /// os::Error that names them.
  static RegistryConfig read(const std::map<std::string, std::string>& environment);
  explicit RegistryConfig(std::vector<std::string> directories)
      : directories_(std::move(directories)) {}

  /// Takes Docker's daemon.json: `registry-mirrors` (of Docker Hub) and `insecure-registries`.
  void add_daemon_file(std::string_view json);

  /// Whom to ask for the repositories of `host`: mirrors first, the registry itself last.
  std::vector<Endpoint> endpoints(const std::string& host) const;
  /// What to trust at a server that no repository names: a token server.
  TlsOptions tls_for(const std::string& host) const;

 private:
  bool is_insecure(const std::string& host) const;
  Endpoint registry_itself(const std::string& host) const;

  std::vector<std::string> directories_;  ///< each a certs.d
  std::vector<std::string> mirrors_;      ///< of Docker Hub
  std::set<std::string> insecure_;
};

/// Reads hosts.toml: `server`, and for each [host."URL"] `capabilities`, `ca`, `client`,
/// `skip_verify`, `override_path`, and its [host."URL".header]. Throws os::Error with the line.
HostsFile parse_hosts_file(std::string_view toml);

}  // namespace image
