// A real registry (Debian's docker-registry) for the time of a test: plain, with a password and
// TLS, or behind a token server.
#pragma once

#include <string>

#include "runtime/os/file.hpp"
#include "tests/support/command.hpp"

namespace support {

struct RegistrySetup {
  bool tls = false;  ///< with a certificate of an authority of its own
  std::string user;  ///< needed with `password`; empty: open to all
  std::string password;
  std::string token_realm;      ///< the URL of a token server; empty: none
  std::string token_authority;  ///< PEM file of what its tokens are signed with
};

class RegistryServer {
 public:
  explicit RegistryServer(const RegistrySetup& setup = {});
  RegistryServer(const RegistryServer&) = delete;
  RegistryServer& operator=(const RegistryServer&) = delete;
  ~RegistryServer();

  /// "localhost:PORT"
  std::string host() const { return "localhost:" + std::to_string(port_); }
  /// PEM file of the authority that vouches for it.
  std::string authority() const { return directory_.path() + "/ca.crt"; }
  /// What is uploaded or stored, by file.
  std::string storage() const { return directory_.path() + "/storage"; }
  std::string log() { return server_->out() + server_->err(); }
  /// Requests in its log that contain `part`.
  int count(const std::string& part);

 private:
  void make_certificate() const;
  std::string configuration(const RegistrySetup& setup) const;

  os::TempDir directory_{"/var/tmp", "registry-"};
  int port_;
  std::unique_ptr<Command> server_;
};

/// Whether this machine has one.
bool has_registry_server();

/// Runs openssl(1) with these arguments; its output. Throws std::runtime_error when it fails.
std::string openssl(const std::vector<std::string>& arguments, const std::string& directory,
                    const std::string& input = {});

}  // namespace support
