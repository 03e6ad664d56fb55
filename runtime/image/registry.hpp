// A registry client (OCI distribution specification): manifests and blobs of one repository, both
// ways. It knows nothing of the store. Safe to use from several threads.
//
//   [ we ]                                  [ registry ]                 [ token server ]
//   GET /v2/N/manifests/TAG            -->
//                                      <--  401 Bearer realm, scope
//   GET realm?service&scope  ------------------------------------------->
//                            <-------------------------------------------  token
//   GET … Authorization: Bearer        -->
//                                      <--  200, or 307 to where the bytes are
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/image/authorizer.hpp"
#include "runtime/image/credential_store.hpp"
#include "runtime/image/http_client.hpp"
#include "runtime/image/manifest.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/registry_config.hpp"

namespace image {

struct RegistryOptions {
  std::map<std::string, std::string> environment;  ///< HOME, DOCKER_CONFIG, proxies …
  std::function<void(const std::string&)> warn;
  /// How a pause between two tries is spent; sleeps when empty.
  std::function<void(std::chrono::milliseconds)> sleep;
  /// What of a blob is pushed in one request; more goes in pieces, the last of which can be sent
  /// again after a break.
  std::int64_t piece = std::int64_t{64} << 20;
};

enum class Access { pull, push };

/// A manifest or index as it came.
struct Document {
  Descriptor descriptor;  ///< digest and size are those of `data`
  std::string data;
};

class Registry {
 public:
  Registry(const RegistryOptions& options, const Reference& repository, Access access);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry();

  const Reference& repository() const { return repository_; }
  Authorizer& authorizer() { return authorizer_; }

  /// Asks whether we are let in; throws os::Error when not.
  void ping();

  // ---- out of the registry
  /// The digest that a tag has now, without fetching the manifest; nothing when the registry will
  /// not say.
  std::optional<Digest> resolve(const std::string& tag);
  /// The manifest or index by tag or digest; a digest is checked. Throws os::Error in words that
  /// say what may be wrong.
  Document manifest(const std::string& tag_or_digest);

  struct BlobRead {
    bool complete = false;
    bool worth_retrying = false;
    std::chrono::milliseconds pause{0};  ///< that the server asked for
    std::string failure;
  };
  /// One try to read the blob from `offset` on into `sink`, which may throw; it sees only what is
  /// new, even when the server begins at 0.
  BlobRead read_blob(const Descriptor& blob, std::int64_t offset,
                     const std::function<void(std::string_view)>& sink);

  // ---- into the registry
  bool has_blob(const Digest& digest);
  /// Lets the registry take the blob from another repository of its own. False when it does not.
  bool mount_blob(const Digest& digest, const std::string& from);
  /// Uploads a file as the blob; `progress` is told how many bytes have arrived.
  void upload_blob(const Descriptor& blob, int fd,
                   const std::function<void(std::int64_t)>& progress);
  void put_manifest(const std::string& tag_or_digest, const Descriptor& manifest,
                    const std::string& data);

  /// Waits as long as a try after `tried` tries should, given what the server asked for.
  void pause(int tried, std::optional<std::chrono::seconds> asked) const;

 private:
  friend class Upload;
  std::vector<Endpoint> choose_endpoints(Access access) const;
  const std::string& base_url(Endpoint& endpoint);
  HttpRequest make_request(Endpoint& endpoint, const std::string& method, const std::string& path);
  /// With authorization and redirects; one answer.
  HttpResponse exchange(Endpoint& endpoint, HttpRequest request, const Scopes& scopes,
                        const BodySink& sink = {});
  HttpResponse follow(HttpRequest request, const BodySink& sink);
  /// Whom to trust at a host that is none of the endpoints.
  TlsOptions tls_elsewhere(const std::string& host) const;
  /// Again and again while it is worth it.
  HttpResponse insist(Endpoint& endpoint, const HttpRequest& request, const Scopes& scopes);
  /// From the first endpoint that gives a good answer; the last one's answer otherwise.
  HttpResponse ask(const std::string& method, const std::string& path, bool resolves);
  [[noreturn]] void fail(const HttpResponse& response, const std::string& tried) const;
  std::string path(const std::string& rest) const;
  Scopes scopes() const;

  Reference repository_;
  Access access_;
  RegistryOptions options_;
  RegistryConfig config_;
  CredentialStore store_;
  HttpClient http_;
  Authorizer authorizer_;
  std::mutex mutex_;  ///< of the endpoints' schemes
  std::vector<Endpoint> endpoints_;
};

/// What a registry says in the body of an error: its codes and messages, or the text itself, short
/// and printable. Pure.
std::string registry_error_text(std::string_view body);

/// The value of "Retry-After", if it says something.
std::optional<std::chrono::seconds> asked_pause(const HttpResponse& response);

}  // namespace image
