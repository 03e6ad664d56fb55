#include "runtime/image/http_client.hpp"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

#include "runtime/image/url.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/library.hpp"

namespace image {

namespace {

constexpr long kConnectSeconds = 30;
constexpr long kStallBytes = 1024;
constexpr long kStallSeconds = 30;
/// After an upload the server hashes what it got before it answers.
constexpr long kStallUploadSeconds = 600;
constexpr std::size_t kMaxHeaders = 256 * 1024;
constexpr long kBuffer = 512 * 1024;
constexpr int kMaxRedirects = 10;

/// The functions of libcurl that are used, by their own names. Some thirty libraries come with it:
/// it is loaded when a registry is first spoken to.
struct Curl {
  os::Library loaded{"libcurl.so.4"};
#define STACK_CURL(name) \
  decltype(&::curl_##name) name = loaded.function<decltype(::curl_##name)>("curl_" #name)
  STACK_CURL(global_init);
  STACK_CURL(easy_init);
  STACK_CURL(easy_cleanup);
  STACK_CURL(easy_reset);
  STACK_CURL(easy_setopt);
  STACK_CURL(easy_perform);
  STACK_CURL(easy_getinfo);
  STACK_CURL(easy_strerror);
  STACK_CURL(slist_append);
  STACK_CURL(slist_free_all);
#undef STACK_CURL

  static const Curl& library() {
    static const Curl curl;
    return curl;
  }

 private:
  Curl() {
    if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw os::Error("start libcurl");
  }
};

std::string lowercase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The system's authorities with those of the registry's own directory.
std::string with_system_authorities(const std::string& added) {
  static constexpr const char* kBundle = "/etc/ssl/certs/ca-certificates.crt";
  static const std::string system = os::read_file_if_exists(kBundle).value_or("");
  return added + "\n" + system;
}

bool is_tls_failure(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
         code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CIPHER;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

/// One request under way on one handle.
class HttpClient::Transfer {
 public:
  Transfer(void* handle, const HttpRequest& request, const BodySink& sink)
      : curl_(Curl::library()), handle_(handle), request_(request), sink_(sink) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() { curl_.slist_free_all(headers_); }

  HttpResponse run(const std::string& proxy) {
    set_up(proxy);
    const CURLcode code = curl_.easy_perform(handle_);
    if (thrown_) std::rethrow_exception(thrown_);
    long status = 0;
    curl_.easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    if (code != CURLE_OK) {
      response_.failure = *error_ != '\0' ? error_ : curl_.easy_strerror(code);
      response_.tls_failed = is_tls_failure(code);
      response_.unresolved =
          code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY;
    }
    return std::move(response_);
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    if (curl_.easy_setopt(handle_, option, value) != CURLE_OK)
      throw os::Error("libcurl refuses option " + std::to_string(option));
  }

  void set_up(const std::string& proxy) {
    set(CURLOPT_URL, request_.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_ERRORBUFFER, error_);
    set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    set(CURLOPT_LOW_SPEED_LIMIT, kStallBytes);
    set(CURLOPT_LOW_SPEED_TIME, has_body() ? kStallUploadSeconds : kStallSeconds);
    set(CURLOPT_TIMEOUT, long{request_.timeout});
    set(CURLOPT_BUFFERSIZE, kBuffer);
    set(CURLOPT_PROXY, proxy.c_str());  // empty: none, whatever the environment says
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, this);
    if (request_.given_up) {
      set(CURLOPT_NOPROGRESS, 0L);
      set(CURLOPT_XFERINFOFUNCTION, &on_progress);
      set(CURLOPT_XFERINFODATA, this);
    }
    set_up_tls();
    set_up_body();
    for (const auto& [name, value] : request_.headers) add_header(name + ": " + value);
    add_header("User-Agent: stack/" STACK_VERSION);
    add_header("Expect:");  // a 100 Continue costs a round trip, and some registries never send it
    set(CURLOPT_HTTPHEADER, headers_);
  }

  void set_up_tls() {
    set(CURLOPT_SSL_VERIFYPEER, request_.tls.verify ? 1L : 0L);
    set(CURLOPT_SSL_VERIFYHOST, request_.tls.verify ? 2L : 0L);
    if (!request_.tls.authorities.empty()) {
      authorities_ = with_system_authorities(request_.tls.authorities);
      curl_blob blob{authorities_.data(), authorities_.size(), CURL_BLOB_NOCOPY};
      set(CURLOPT_CAINFO_BLOB, &blob);
    }
    if (!request_.tls.certificate.empty()) {
      set(CURLOPT_SSLCERT, request_.tls.certificate.c_str());
      set(CURLOPT_SSLKEY, request_.tls.key.c_str());
    }
  }

  bool has_body() const { return request_.body || request_.file; }

  void set_up_body() {
    if (request_.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    if (request_.method == "GET" || request_.method == "HEAD") return;
    if (!has_body()) {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE, 0L);
      set(CURLOPT_POSTFIELDS, "");
    } else {
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_UPLOAD_BUFFERSIZE, kBuffer);
      set(CURLOPT_READFUNCTION, &on_read);
      set(CURLOPT_READDATA, this);
      set(CURLOPT_SEEKFUNCTION, &on_seek);
      set(CURLOPT_SEEKDATA, this);
      set(CURLOPT_INFILESIZE_LARGE, curl_off_t{body_size()});
    }
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }

  std::int64_t body_size() const {
    return request_.file ? request_.file->size : static_cast<std::int64_t>(request_.body->size());
  }

  void add_header(const std::string& line) {
    if (line.find_first_of("\r\n") != std::string::npos)
      throw os::Error("a header would hold a line break");
    curl_slist* longer = curl_.slist_append(headers_, line.c_str());
    if (longer == nullptr) throw os::Error(ENOMEM, "make a request");
    headers_ = longer;
  }

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view line(data, size * count);
    transfer.header_bytes_ += line.size();
    if (transfer.header_bytes_ > kMaxHeaders) return 0;
    if (line.starts_with("HTTP/")) {
      transfer.response_.headers.clear();  // of a 1xx, or of a proxy's answer
      const auto blank = line.find(' ');
      transfer.response_.status =
          blank == std::string_view::npos ? 0 : std::atoi(std::string(line.substr(blank)).c_str());
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      transfer.response_.headers.emplace(lowercase(line.substr(0, colon)),
                                         trim(line.substr(colon + 1)));
    }
    return line.size();
  }

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view bytes(data, size * count);
    HttpResponse& response = transfer.response_;
    try {
      if (transfer.sink_ && response.status >= 200 && response.status < 300) {
        transfer.sink_(response, bytes);
      } else if (response.body.size() + bytes.size() > kMaxBody) {
        throw os::Error(EFBIG, "read an answer of '" + transfer.request_.url.substr(0, 200) + "'");
      } else {
        response.body += bytes;
      }
      return bytes.size();
    } catch (...) {
      transfer.thrown_ = std::current_exception();
      return bytes.size() + 1;  // ends the transfer
    }
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(self)->request_.given_up() ? 1 : 0;
  }

  static std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const auto room = static_cast<std::int64_t>(size * count);
    const std::int64_t wanted = std::min(room, transfer.body_size() - transfer.sent_);
    ssize_t n = wanted;
    if (transfer.request_.file) {
      n = ::pread(transfer.request_.file->fd, buffer, static_cast<std::size_t>(wanted),
                  transfer.request_.file->offset + transfer.sent_);
      if (n < 0 || (n == 0 && wanted > 0)) return CURL_READFUNC_ABORT;
    } else {
      transfer.request_.body->copy(buffer, static_cast<std::size_t>(wanted),
                                   static_cast<std::size_t>(transfer.sent_));
    }
    transfer.sent_ += n;
    if (transfer.request_.progress) transfer.request_.progress(transfer.sent_);
    return static_cast<std::size_t>(n);
  }

  static int on_seek(void* self, curl_off_t offset, int origin) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    transfer.sent_ = offset;
    return CURL_SEEKFUNC_OK;
  }

  const Curl& curl_;
  void* handle_;
  const HttpRequest& request_;
  const BodySink& sink_;
  HttpResponse response_;
  curl_slist* headers_ = nullptr;
  std::string authorities_;
  std::size_t header_bytes_ = 0;
  std::int64_t sent_ = 0;
  std::exception_ptr thrown_;
  char error_[CURL_ERROR_SIZE] = {};
};

HttpClient::HttpClient(std::map<std::string, std::string> environment)
    : environment_(std::move(environment)) {}

HttpClient::~HttpClient() {
  for (void* handle : idle_) Curl::library().easy_cleanup(handle);
}

void* HttpClient::take() {
  const Curl& curl = Curl::library();
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) {
    void* made = curl.easy_init();
    if (made == nullptr) throw os::Error(ENOMEM, "start a transfer");
    return made;
  }
  void* handle = idle_.back();
  idle_.pop_back();
  return handle;
}

void HttpClient::give_back(void* handle) {
  Curl::library().easy_reset(handle);  // keeps the connections
  const std::lock_guard lock(mutex_);
  idle_.push_back(handle);
}

HttpResponse HttpClient::perform(const HttpRequest& request, const BodySink& sink) {
  const std::string proxy = proxy_for(request.url, environment_);
  const auto give = [this](void* handle) { give_back(handle); };
  const std::unique_ptr<void, decltype(give)> handle(take(), give);
  return Transfer(handle.get(), request, sink).run(proxy);
}

HttpResponse perform_following(HttpClient& http, HttpRequest request, const TlsFor& tls_for,
                               const BodySink& sink) {
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    HttpResponse response = http.perform(request, sink);
    const std::string location = response.header("location");
    if (!is_redirect(response.status) || location.empty()) return response;
    const Url from = Url::parse(request.url);
    const Url to = from.resolve(location);
    if (from.scheme == "https" && to.scheme == "http")
      throw os::Error("'" + from.host + "' leads from https to '" + to.scheme + "://" + to.host +
                      "', which is not encrypted");
    if (from.host != to.host || from.scheme != to.scheme) {
      // What was meant for one server is no other one's business; stores of objects refuse it, too.
      std::erase_if(request.headers,
                    [](const auto& header) { return lowercase(header.first) == "authorization"; });
      request.tls = tls_for(to.host);
    }
    request.url = to.text();
  }
  throw os::Error("'" + Url::parse(request.url).host + "' leads in circles");
}

std::string proxy_for(const std::string& url,
                      const std::map<std::string, std::string>& environment) {
  const Url parsed = Url::parse(url);
  if (is_loopback(parsed.host)) return {};
  const auto variable = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  const bool secure = parsed.scheme == "https";
  for (const char* name : {secure ? "https_proxy" : "http_proxy",
                           secure ? "HTTPS_PROXY" : "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
    if (std::string value = variable(name); !value.empty()) return value;
  return {};
}

}  // namespace image
