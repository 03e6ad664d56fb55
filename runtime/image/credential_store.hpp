// Where credentials are kept: Docker's and containers' files, and the programs docker-credential-X
// that keep them elsewhere (docker-credential-helpers).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "runtime/image/credentials.hpp"

namespace image {

class CredentialStore {
 public:
  using Environment = std::map<std::string, std::string>;
  /// `warn` is told about a helper that failed; that never fails a look-up.
  explicit CredentialStore(Environment environment,
                           std::function<void(const std::string&)> warn = {});

  /// Who we are to `host` (for the repository `path`); nothing: nobody in particular. Throws
  /// os::Error for a file that is malformed.
  std::optional<Credentials> find(const std::string& host, const std::string& path) const;
  /// Keeps credentials: in the helper that the configuration names, else in Docker's file, mode
  /// 0600. Returns where. Throws os::Error.
  std::string store(const std::string& host, const Credentials& credentials) const;
  /// Forgets them; false when there were none.
  bool erase(const std::string& host) const;

 private:
  std::string variable(const char* name) const;
  std::string docker_file() const;
  std::vector<std::string> container_files() const;
  std::optional<Credentials> ask(const std::string& helper, const std::string& host) const;

  Environment environment_;
  std::function<void(const std::string&)> warn_;
};

}  // namespace image
