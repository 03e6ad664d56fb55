#include "runtime/image/authorizer.hpp"

#include <algorithm>

#include "runtime/image/retry.hpp"
#include "runtime/image/url.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr auto kForGood = std::chrono::hours(24);
/// A token is not used in its last moments: the request may take a while to arrive.
constexpr auto kMargin = std::chrono::seconds(10);

std::string key_of(const Endpoint& endpoint, const Scopes& scopes) {
  std::string key = endpoint.url;
  for (const std::string& scope : scopes) key += " " + scope;
  return key;
}

std::string basic(const Credentials& credentials) {
  return "Basic " + base64_encode(credentials.username + ":" + credentials.password);
}

const Challenge* find_scheme(const std::vector<Challenge>& challenges, const char* scheme) {
  const auto found = std::find_if(challenges.begin(), challenges.end(), [&](const auto& challenge) {
    return challenge.scheme == scheme;
  });
  return found == challenges.end() ? nullptr : &*found;
}

}  // namespace

void Authorizer::use(const std::string& host, const Credentials& credentials) {
  const std::lock_guard lock(mutex_);
  given_.insert_or_assign(host, credentials);
  known_.clear();
}

std::string Authorizer::header(const Endpoint& endpoint, const Scopes& scopes) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(key_of(endpoint, scopes));
  if (found == known_.end() || found->second.expires < std::chrono::steady_clock::now()) return {};
  return found->second.header;
}

std::optional<Credentials> Authorizer::credentials_for(const Endpoint& endpoint,
                                                       const std::string& repository) {
  const std::string& host = endpoint.credentials;
  if (const auto given = given_.find(host); given != given_.end()) return given->second;
  const std::string key = host + " " + repository;
  const auto found = found_.find(key);
  if (found != found_.end()) return found->second;
  return found_.emplace(key, store_.find(host, repository)).first->second;
}

bool Authorizer::answer(const Endpoint& endpoint, const std::string& repository,
                        const std::vector<Challenge>& challenges, const Scopes& scopes,
                        const std::string& used) {
  const std::lock_guard lock(mutex_);
  Known& known = known_[key_of(endpoint, scopes)];
  const auto now = std::chrono::steady_clock::now();
  // Another thread has been here meanwhile.
  if (known.header != used && !known.header.empty() && known.expires > now) return true;
  const auto credentials = credentials_for(endpoint, repository);
  if (const Challenge* bearer = find_scheme(challenges, "bearer")) {
    if (credentials && !credentials->registry_token.empty()) {
      known = {"Bearer " + credentials->registry_token, now + kForGood};
    } else {
      const Token token = fetch_token(endpoint, *bearer, scopes, credentials);
      known = {"Bearer " + token.value, now + token.lifetime - kMargin};
    }
    return known.header != used;
  }
  if (find_scheme(challenges, "basic") == nullptr || !credentials || credentials->username.empty())
    return false;
  known = {basic(*credentials), now + kForGood};
  return known.header != used;
}

Token Authorizer::fetch_token(const Endpoint& endpoint, const Challenge& challenge,
                              const Scopes& scopes, const std::optional<Credentials>& credentials) {
  Url realm = Url::parse(challenge.at("realm"));
  const Url registry = Url::parse(endpoint.url);
  // A registry that is spoken to in secret must not send us elsewhere to say it aloud.
  if (credentials && realm.scheme == "http" && registry.scheme == "https" &&
      !is_loopback(realm.host))
    throw os::Error("the registry '" + registry.host + "' asks to send the password to '" +
                    realm.text() + "' unencrypted");
  HttpRequest request;
  request.tls = realm.host == registry.host ? endpoint.tls : config_.tls_for(realm.host);
  if (request.tls.authorities.empty()) request.tls.authorities = endpoint.tls.authorities;
  Scopes wanted = scopes;
  if (const std::string scope = challenge.at("scope"); !scope.empty() && scopes.empty())
    wanted.insert(scope);
  const std::string service = challenge.at("service");
  if (credentials && !credentials->identity_token.empty()) {
    request.url = realm.text();
    return post_for_token(request, service, wanted, *credentials);
  }
  if (!service.empty()) realm.add_query("service", service);
  for (const std::string& scope : wanted) realm.add_query("scope", scope);
  if (credentials && !credentials->username.empty()) {
    realm.add_query("account", credentials->username);
    request.headers.emplace_back("Authorization", basic(*credentials));
  }
  realm.add_query("client_id", "stack");
  request.url = realm.text();
  HttpResponse response = http_.perform(request);
  if (!response.failure.empty())
    throw os::Error("fetch a token from '" + realm.host + "': " + response.failure);
  if (!response.ok())
    throw os::Error(
        "fetch a token from '" + realm.host + "': it answers " + std::to_string(response.status) +
        (response.status == 401 || response.status == 403 ? ": incorrect username or password"
                                                          : ""));
  return parse_token(response.body);
}

Token Authorizer::post_for_token(const HttpRequest& base, const std::string& service,
                                 const Scopes& scopes, const Credentials& credentials) {
  HttpRequest request = base;
  request.method = "POST";
  std::string joined;
  for (const std::string& scope : scopes) joined += (joined.empty() ? "" : " ") + scope;
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  request.body = "grant_type=refresh_token&client_id=stack&service=" + percent_encode(service) +
                 "&scope=" + percent_encode(joined) +
                 "&refresh_token=" + percent_encode(credentials.identity_token);
  const HttpResponse response = http_.perform(request);
  if (!response.failure.empty())
    throw os::Error("fetch a token from '" + request.url + "': " + response.failure);
  if (!response.ok())
    throw os::Error("fetch a token from '" + request.url + "': it answers " +
                    std::to_string(response.status) + "; log in again");
  return parse_token(response.body);
}

}  // namespace image
