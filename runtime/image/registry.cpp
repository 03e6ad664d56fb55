#include "runtime/image/registry.hpp"

#include <algorithm>
#include <random>
#include <thread>

#include "runtime/image/json.hpp"
#include "runtime/image/retry.hpp"
#include "runtime/image/url.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

/// A server that does not speak TLS may wait for the rest of what it takes for a request.
constexpr int kGreetingSeconds = 5;

/// All that we can read: a registry that is not told converts to schema 1, which nobody can.
std::string accepted_types() {
  std::string types;
  for (const auto type : {media_type::kIndex, media_type::kManifest, media_type::kDockerIndex,
                          media_type::kDockerManifest})
    types += (types.empty() ? "" : ", ") + std::string(type);
  return types;
}

void remove_header(HttpRequest& request, const char* name) {
  std::erase_if(request.headers, [&](const auto& header) { return header.first == name; });
}

double random_part() {
  static thread_local std::mt19937 engine{std::random_device{}()};
  return std::uniform_real_distribution<>(0, 1)(engine);
}

}  // namespace

std::string registry_error_text(std::string_view body) {
  constexpr std::size_t kMost = 300;
  std::string text;
  const Json document = Json::parse(body, nullptr, false);
  if (document.is_object() && document.contains("errors") && document["errors"].is_array()) {
    for (const Json& error : document["errors"]) {
      if (!error.is_object()) continue;
      const auto part = [&](const char* name) {
        const auto found = error.find(name);
        return found != error.end() && found->is_string() ? found->get<std::string>()
                                                          : std::string();
      };
      const std::string message = part("message").empty() ? part("code") : part("message");
      if (!message.empty()) text += (text.empty() ? "" : "; ") + message;
    }
  } else {
    text = std::string(body.substr(0, body.find('\n')));
  }
  if (text.size() > kMost) text.resize(kMost);
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return text;
}

std::optional<std::chrono::seconds> asked_pause(const HttpResponse& response) {
  return parse_retry_after(response.header("retry-after"), std::chrono::system_clock::now());
}

Registry::Registry(const RegistryOptions& options, const Reference& repository, Access access)
    : repository_(repository),
      access_(access),
      options_(options),
      config_(RegistryConfig::read(options.environment)),
      store_(options.environment, options.warn),
      http_(options.environment),
      authorizer_(http_, store_, config_),
      endpoints_(choose_endpoints(access)) {}

Registry::~Registry() = default;

std::vector<Endpoint> Registry::choose_endpoints(Access access) const {
  std::vector<Endpoint> all = config_.endpoints(repository_.host);
  std::erase_if(all, [&](const Endpoint& endpoint) {
    if (!endpoint.is_mirror()) return false;
    return access == Access::push ? !endpoint.push : !endpoint.pull;
  });
  return all;
}

std::string Registry::path(const std::string& rest) const {
  return "/v2/" + repository_.path + rest;
}

Scopes Registry::scopes() const {
  return {"repository:" + repository_.path + (access_ == Access::push ? ":pull,push" : ":pull")};
}

const std::string& Registry::base_url(Endpoint& endpoint) {
  const std::lock_guard lock(mutex_);
  if (!endpoint.insecure) return endpoint.url;
  // Encrypted if it can be, though nothing vouches for the other side; else plain.
  endpoint.insecure = false;
  HttpRequest request;
  request.url = endpoint.url + "/v2/";
  request.tls = endpoint.tls;
  request.tls.verify = false;
  request.timeout = kGreetingSeconds;
  const HttpResponse response = http_.perform(request);
  if (response.status != 0) {
    endpoint.tls.verify = false;
  } else {
    endpoint.url.replace(0, std::string_view("https").size(), "http");
  }
  return endpoint.url;
}

HttpRequest Registry::make_request(Endpoint& endpoint, const std::string& method,
                                   const std::string& path) {
  HttpRequest request;
  request.method = method;
  Url url = Url::parse(base_url(endpoint) + path);
  if (endpoint.is_mirror()) url.add_query("ns", endpoint.origin);
  request.url = url.text();
  request.headers = endpoint.headers;
  request.tls = endpoint.tls;
  return request;
}

TlsOptions Registry::tls_elsewhere(const std::string& host) const {
  TlsOptions tls = config_.tls_for(host);
  if (is_loopback(host) && tls.authorities.empty()) tls.verify = false;
  return tls;
}

HttpResponse Registry::follow(HttpRequest request, const BodySink& sink) {
  const TlsFor tls_for = [this](const std::string& host) { return tls_elsewhere(host); };
  return perform_following(http_, std::move(request), tls_for, sink);
}

HttpResponse Registry::exchange(Endpoint& endpoint, HttpRequest request, const Scopes& scopes,
                                const BodySink& sink) {
  for (int round = 0;; ++round) {
    const std::string authorization = authorizer_.header(endpoint, scopes);
    remove_header(request, "Authorization");
    if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
    HttpResponse response = follow(request, sink);
    if (response.status != 401 || round == 2) return response;
    std::vector<Challenge> challenges;
    const auto [begin, end] = response.headers.equal_range("www-authenticate");
    for (auto header = begin; header != end; ++header)
      for (Challenge& challenge : parse_challenges(header->second))
        challenges.push_back(std::move(challenge));
    if (!authorizer_.answer(endpoint, repository_.path, challenges, scopes, authorization))
      return response;
  }
}

void Registry::pause(int tried, std::optional<std::chrono::seconds> asked) const {
  const auto delay = retry_delay(tried, asked, random_part());
  if (options_.sleep) {
    options_.sleep(delay);
  } else {
    std::this_thread::sleep_for(delay);
  }
}

HttpResponse Registry::insist(Endpoint& endpoint, const HttpRequest& request,
                              const Scopes& scopes) {
  for (int tried = 1;; ++tried) {
    HttpResponse response = exchange(endpoint, request, scopes);
    const bool again =
        (!response.failure.empty() && !response.tls_failed && !response.unresolved) ||
        (response.failure.empty() && is_retryable(response.status));
    if (!again || tried == kTries) return response;
    pause(tried, asked_pause(response));
  }
}

HttpResponse Registry::ask(const std::string& method, const std::string& rest, bool resolves) {
  HttpResponse last;
  for (Endpoint& endpoint : endpoints_) {
    if (resolves && !endpoint.resolve && endpoint.is_mirror()) continue;
    try {
      HttpRequest request = make_request(endpoint, method, path(rest));
      request.headers.emplace_back("Accept", accepted_types());
      // A mirror that is down must not cost minutes: the registry itself comes after it.
      last = endpoint.is_mirror() ? exchange(endpoint, request, scopes())
                                  : insist(endpoint, request, scopes());
    } catch (const os::Error&) {
      if (!endpoint.is_mirror()) throw;
      continue;
    }
    if (last.ok()) break;
  }
  return last;
}

void Registry::fail(const HttpResponse& response, const std::string& tried) const {
  if (!response.failure.empty()) {
    const std::string advice = response.tls_failed
                                   ? "; a private authority's certificate belongs into "
                                     "/etc/docker/certs.d/" +
                                         repository_.host + "/ca.crt"
                                   : "";
    throw os::Error(tried + ": " + response.failure + advice);
  }
  std::string text = registry_error_text(response.body);
  if (text.empty()) text = "it answers " + std::to_string(response.status);
  if (response.status == 401 || response.status == 403 || response.status == 404)
    text += response.status == 404 ? " (it is not there, or it is private: `stack login "
                                   : " (access denied: `stack login ";
  if (response.status == 401 || response.status == 403 || response.status == 404)
    text += repository_.host + "`)";
  throw os::Error(tried + ": " + text);
}

void Registry::ping() {
  Endpoint& endpoint = endpoints_.back();
  const HttpRequest request = make_request(endpoint, "GET", "/v2/");
  const HttpResponse response = insist(endpoint, request, {});
  if (response.ok()) return;
  if (response.status == 401)
    throw os::Error("log in to " + repository_.host + ": incorrect username or password");
  fail(response, "log in to " + repository_.host);
}

std::optional<Digest> Registry::resolve(const std::string& tag) {
  const HttpResponse response = ask("HEAD", "/manifests/" + tag, true);
  if (response.status == 401 || response.status == 403 || response.status == 404)
    fail(response, "look at " + repository_.text());
  if (!response.ok()) return std::nullopt;
  return Digest::try_parse(response.header("docker-content-digest"));
}

Document Registry::manifest(const std::string& tag_or_digest) {
  const auto expected = Digest::try_parse(tag_or_digest);
  const HttpResponse response = ask("GET", "/manifests/" + tag_or_digest, !expected);
  const std::string what =
      "pull " + repository_.repository() + (expected ? "@" : ":") + tag_or_digest;
  if (!response.ok()) fail(response, what);
  if (response.body.size() > kMaxDocument)
    throw os::Error(
        EFBIG, what + ": read a manifest of more than " + std::to_string(kMaxDocument) + " bytes");
  Document document;
  document.data = response.body;
  document.descriptor.digest = Digest::of(document.data);
  document.descriptor.size = static_cast<std::int64_t>(document.data.size());
  if (expected && document.descriptor.digest != *expected)
    throw os::Error(what + ": the registry sends something else, with digest " +
                    document.descriptor.digest.text());
  // The document's own word counts; the transport's only where it says nothing.
  const Json parsed = parse_object(document.data, "the manifest of " + repository_.text());
  document.descriptor.media_type = string_at(parsed, "mediaType");
  if (document.descriptor.media_type.empty()) {
    std::string type = response.header("content-type");
    document.descriptor.media_type = type.substr(0, type.find(';'));
  }
  return document;
}

namespace {

/// Passes on what is new of a blob: a server that knows no ranges begins anew, and what is there
/// already is passed over.
class Tail {
 public:
  Tail(std::int64_t have, const std::function<void(std::string_view)>& sink)
      : have_(have), sink_(sink) {}

  std::int64_t have() const { return have_; }
  void begin() { position_ = -1; }
  void take(const HttpResponse& head, std::string_view data) {
    if (position_ < 0) position_ = head.status == 206 ? have_ : 0;
    const auto size = static_cast<std::int64_t>(data.size());
    const std::int64_t skip = std::clamp<std::int64_t>(have_ - position_, 0, size);
    position_ += size;
    data.remove_prefix(static_cast<std::size_t>(skip));
    if (data.empty()) return;
    have_ += static_cast<std::int64_t>(data.size());
    sink_(data);
  }

 private:
  std::int64_t have_;
  const std::function<void(std::string_view)>& sink_;
  std::int64_t position_ = -1;  ///< of the next byte that comes, once that is known
};

void ask_for_range(HttpRequest& request, std::int64_t offset) {
  if (offset > 0) request.headers.emplace_back("Range", "bytes=" + std::to_string(offset) + "-");
}

/// What came of one try.
Registry::BlobRead outcome(const HttpResponse& response, std::int64_t have, std::int64_t size) {
  Registry::BlobRead result;
  if (response.ok() && have == size) {
    result.complete = true;
    return result;
  }
  result.failure = !response.failure.empty() ? response.failure
                   : response.ok()           ? "it ends after " + std::to_string(have) + " of " +
                                         std::to_string(size) + " bytes"
                                   : registry_error_text(response.body);
  if (result.failure.empty())
    result.failure = "the registry answers " + std::to_string(response.status);
  result.worth_retrying = !response.tls_failed && (response.ok() || !response.failure.empty() ||
                                                   is_retryable(response.status));
  if (const auto asked = asked_pause(response)) result.pause = *asked;
  return result;
}

}  // namespace

Registry::BlobRead Registry::read_blob(const Descriptor& blob, std::int64_t offset,
                                       const std::function<void(std::string_view)>& sink) {
  Tail tail(offset, sink);
  const BodySink body = [&](const HttpResponse& head, std::string_view data) {
    tail.take(head, data);
  };
  BlobRead result;
  for (Endpoint& endpoint : endpoints_) {
    try {
      HttpRequest request = make_request(endpoint, "GET", path("/blobs/" + blob.digest.text()));
      ask_for_range(request, tail.have());
      tail.begin();
      const HttpResponse response = exchange(endpoint, request, scopes(), body);
      result = outcome(response, tail.have(), blob.size);
      if (result.complete) return result;
    } catch (const os::Error&) {
      if (!endpoint.is_mirror()) throw;
    }
  }
  for (const std::string& url : blob.urls) {
    HttpRequest request;
    request.url = Url::parse(url).text();
    request.tls = config_.tls_for(Url::parse(url).host);
    ask_for_range(request, tail.have());
    tail.begin();
    const HttpResponse response = follow(request, body);
    BlobRead other = outcome(response, tail.have(), blob.size);
    if (other.complete) return other;
  }
  return result;
}

}  // namespace image
