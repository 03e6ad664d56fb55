// HTTP by libcurl: one request, one answer, on as many threads as ask. Redirects, credentials and
// second tries are the caller's. The library is loaded with the first request, for it brings thirty
// others that no local command should wait for.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace image {

/// Whom to trust and who we are, for one host.
struct TlsOptions {
  bool verify = true;
  std::string authorities;  ///< PEM, trusted besides the system's own
  std::string certificate;  ///< file of the client's certificate; empty: none
  std::string key;          ///< file of its key
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> body;
  /// A part of a file as body, in place of `body`.
  struct FilePart {
    int fd = -1;
    std::int64_t offset = 0;
    std::int64_t size = 0;
  };
  std::optional<FilePart> file;
  std::function<void(std::int64_t sent)> progress;  ///< of the body; may be empty
  std::function<bool()> given_up;  ///< asked while it waits; true ends it; may be empty
  TlsOptions tls;
  int timeout = 0;  ///< seconds for all of it; 0: as long as it goes on
};

struct HttpResponse {
  int status = 0;           ///< 0: there was no answer, or it broke off
  std::string failure;      ///< why the transfer failed; empty when it went through
  bool tls_failed = false;  ///< the failure is one of trust, not of the network
  bool unresolved = false;  ///< the failure is a host (or proxy) whose name nobody knows
  std::multimap<std::string, std::string> headers;  ///< names in lowercase
  std::string body;  ///< what did not go to the sink, at most kMaxBody bytes

  /// The first header of that name, empty when there is none.
  std::string header(const std::string& name) const;
  bool ok() const { return failure.empty() && status >= 200 && status < 300; }
};

/// Takes the body of a 2xx answer, piece by piece. May throw, which ends the transfer.
using BodySink = std::function<void(const HttpResponse& head, std::string_view data)>;

/// Documents of registries are smaller (kMaxDocument).
inline constexpr std::size_t kMaxBody = 8 * 1024 * 1024;

class HttpClient {
 public:
  /// `environment`: for the variables that name proxies.
  explicit HttpClient(std::map<std::string, std::string> environment);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  /// Makes the request. A failed transfer is an answer too, with `failure` set; throws os::Error
  /// only where no transfer could begin, and what the sink throws.
  HttpResponse perform(const HttpRequest& request, const BodySink& sink = {});

 private:
  class Transfer;
  void* take();
  void give_back(void* handle);

  std::map<std::string, std::string> environment_;
  std::mutex mutex_;
  std::vector<void*> idle_;  ///< curl handles, with their open connections
};

/// Whom to trust at a host to which a redirect leads.
using TlsFor = std::function<TlsOptions(const std::string& host)>;

/// perform(), and on where the answer leads elsewhere: ten times at most, never from https to http,
/// and without the request's Authorization once it is another host. Throws os::Error for such.
HttpResponse perform_following(HttpClient& http, HttpRequest request, const TlsFor& tls_for,
                               const BodySink& sink = {});

/// The proxy that requests to `url` go through, empty for none: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY
/// in either case, the lower one first; never for this machine itself. NO_PROXY is libcurl's to
/// apply. Pure.
std::string proxy_for(const std::string& url,
                      const std::map<std::string, std::string>& environment);

}  // namespace image
