// The answer to "who are you": basic credentials, or a token fetched from the server that the
// registry names. One fetch serves all threads that wait for it.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/image/challenge.hpp"
#include "runtime/image/credential_store.hpp"
#include "runtime/image/http_client.hpp"
#include "runtime/image/registry_config.hpp"

namespace image {

/// What a request wants to do: "repository:library/nginx:pull".
using Scopes = std::set<std::string>;

class Authorizer {
 public:
  Authorizer(HttpClient& http, const CredentialStore& store, const RegistryConfig& config)
      : http_(http), store_(store), config_(config) {}

  /// Uses these instead of what is stored for `host`.
  void use(const std::string& host, const Credentials& credentials);

  /// The Authorization header that served last; empty when none did.
  std::string header(const Endpoint& endpoint, const Scopes& scopes);
  /// Takes up the challenges of a 401 to a request that had the Authorization `used`. False when
  /// there is nothing (more) to answer with. Throws os::Error when the token server fails.
  bool answer(const Endpoint& endpoint, const std::string& repository,
              const std::vector<Challenge>& challenges, const Scopes& scopes,
              const std::string& used);

 private:
  struct Known {
    std::string header;
    std::chrono::steady_clock::time_point expires;
  };
  std::optional<Credentials> credentials_for(const Endpoint& endpoint,
                                             const std::string& repository);
  Token fetch_token(const Endpoint& endpoint, const Challenge& challenge, const Scopes& scopes,
                    const std::optional<Credentials>& credentials);
  Token post_for_token(const HttpRequest& base, const std::string& service, const Scopes& scopes,
                       const Credentials& credentials);

  HttpClient& http_;
  const CredentialStore& store_;
  const RegistryConfig& config_;
  std::mutex mutex_;
  std::map<std::string, Credentials> given_;
  std::map<std::string, std::optional<Credentials>> found_;  ///< helpers are asked once
  std::map<std::string, Known> known_;                       ///< by server and scopes
};

}  // namespace image
