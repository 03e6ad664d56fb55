// The half of the client that writes: mounts, uploads in one piece or in many, manifests.
#include <algorithm>
#include <charconv>

#include "runtime/image/registry.hpp"
#include "runtime/image/retry.hpp"
#include "runtime/image/url.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr const char* kBytes = "application/octet-stream";

/// The last byte that the registry has, of "0-1023"; nothing when it does not say.
std::optional<std::int64_t> range_end(const std::string& range) {
  const auto dash = range.rfind('-');
  if (dash == std::string::npos) return std::nullopt;
  std::int64_t end = 0;
  const char* begin = range.data() + dash + 1;
  const auto result = std::from_chars(begin, range.data() + range.size(), end);
  if (result.ec != std::errc() || end < 0) return std::nullopt;
  return end;
}

}  // namespace

/// One blob's way into the registry. The Location of the last answer is where the next request
/// goes, with its query: an older one is refused.
class Upload {
 public:
  Upload(Registry& registry, const Descriptor& blob, int fd,
         const std::function<void(std::int64_t)>& progress)
      : registry_(registry),
        endpoint_(registry.endpoints_.back()),
        blob_(blob),
        fd_(fd),
        progress_(progress) {}

  void run() {
    for (int tried = 1;; ++tried) {
      std::optional<std::chrono::seconds> asked;
      const std::string failure = attempt(asked);
      if (failure.empty()) return;
      if (tried == kTries || !again_)
        throw os::Error("push blob " + blob_.digest.text() + ": " + failure);
      registry_.pause(tried, asked);
    }
  }

 private:
  /// Empty when the blob is in the registry.
  std::string attempt(std::optional<std::chrono::seconds>& asked) {
    again_ = true;
    if (location_.empty()) {
      HttpRequest begin =
          registry_.make_request(endpoint_, "POST", registry_.path("/blobs/uploads/"));
      const HttpResponse response = registry_.insist(endpoint_, begin, registry_.scopes());
      if (response.status != 202) registry_.fail(response, "begin to push");
      chunk_minimum_ = minimum_of(response);
      move_to(response, begin.url);
    } else if (!ask_for_state()) {
      location_.clear();
      done_ = 0;
      return attempt(asked);
    }
    const std::int64_t piece = std::max(registry_.options_.piece, chunk_minimum_);
    while (blob_.size - done_ > piece) {
      const std::string failure = send_piece(piece, asked);
      if (!failure.empty()) return failure;
    }
    return send_rest(asked);
  }

  static std::int64_t minimum_of(const HttpResponse& response) {
    const std::string text = response.header("oci-chunk-min-length");
    std::int64_t minimum = 0;
    std::from_chars(text.data(), text.data() + text.size(), minimum);
    return std::clamp<std::int64_t>(minimum, 0, std::int64_t{1} << 30);
  }

  void move_to(const HttpResponse& response, const std::string& url) {
    const std::string location = response.header("location");
    if (location.empty()) throw os::Error("the registry does not say where the upload goes on");
    location_ = Url::parse(url).resolve(location).text();
    if (Url::parse(location_).scheme == "http" && endpoint_.url.starts_with("https"))
      throw os::Error("the registry leads an upload from https to http");
  }

  HttpRequest request(const char* method, const std::string& url) {
    HttpRequest made;
    made.method = method;
    made.url = url;
    if (is_elsewhere()) {
      made.tls = registry_.tls_elsewhere(Url::parse(url).host);
    } else {
      made.headers = endpoint_.headers;
      made.tls = endpoint_.tls;
    }
    return made;
  }

  /// Whether the upload goes to another server, whose business our credentials are not.
  bool is_elsewhere() const {
    const Url home = Url::parse(endpoint_.url);
    const Url place = Url::parse(location_);
    return home.host != place.host || home.scheme != place.scheme;
  }

  HttpResponse send(const HttpRequest& request) {
    return is_elsewhere() ? registry_.follow(request, {})
                          : registry_.exchange(endpoint_, request, registry_.scopes());
  }

  /// After a break: how much the registry has. False when it knows nothing of the upload any more.
  bool ask_for_state() {
    const HttpRequest get = request("GET", location_);
    const HttpResponse response = is_elsewhere()
                                      ? registry_.follow(get, {})
                                      : registry_.insist(endpoint_, get, registry_.scopes());
    if (response.status != 204) return false;
    const auto end = range_end(response.header("range"));
    // "0-0" is both one byte and none; an upload that has one byte begins anew.
    done_ = end && *end > 0 ? *end + 1 : 0;
    if (done_ > blob_.size) return false;
    move_to(response, location_);
    return true;
  }

  std::function<void(std::int64_t)> progress_from(std::int64_t begin) {
    return [this, begin](std::int64_t sent) {
      if (progress_) progress_(begin + sent);
    };
  }

  std::string send_piece(std::int64_t size, std::optional<std::chrono::seconds>& asked) {
    const std::int64_t count = std::min(size, blob_.size - done_);
    HttpRequest patch = request("PATCH", location_);
    patch.headers.emplace_back("Content-Type", kBytes);
    patch.headers.emplace_back("Content-Range",
                               std::to_string(done_) + "-" + std::to_string(done_ + count - 1));
    patch.file = HttpRequest::FilePart{fd_, done_, count};
    patch.progress = progress_from(done_);
    const HttpResponse response = send(patch);
    if (response.failure.empty() && response.status == 202) {
      const auto end = range_end(response.header("range"));
      const std::int64_t before = done_;
      done_ = end && *end > 0 ? std::min(*end + 1, done_ + count) : done_ + count;
      move_to(response, location_);
      // Else a registry that takes and keeps nothing would be sent the same piece for ever.
      if (done_ > before) return {};
      asked = asked_pause(response);
      return "the registry takes a piece and still has only " + std::to_string(done_) + " bytes";
    }
    return describe(response, asked);
  }

  std::string send_rest(std::optional<std::chrono::seconds>& asked) {
    Url url = Url::parse(location_);
    url.add_query("digest", blob_.digest.text());
    HttpRequest put = request("PUT", url.text());
    put.headers.emplace_back("Content-Type", kBytes);
    if (done_ > 0)
      put.headers.emplace_back("Content-Range",
                               std::to_string(done_) + "-" + std::to_string(blob_.size - 1));
    put.file = HttpRequest::FilePart{fd_, done_, blob_.size - done_};
    put.progress = progress_from(done_);
    const HttpResponse response = send(put);
    if (response.failure.empty() && response.status == 201) return {};
    return describe(response, asked);
  }

  std::string describe(const HttpResponse& response, std::optional<std::chrono::seconds>& asked) {
    asked = asked_pause(response);
    if (!response.failure.empty()) {
      again_ = !response.tls_failed;
      return response.failure;
    }
    // 404 and 416: it forgot the upload, or has another part of it than we think.
    again_ = is_retryable(response.status) || response.status == 416 || response.status == 404;
    const std::string text = registry_error_text(response.body);
    return text.empty() ? "it answers " + std::to_string(response.status) : text;
  }

  Registry& registry_;
  Endpoint& endpoint_;
  const Descriptor& blob_;
  int fd_;
  const std::function<void(std::int64_t)>& progress_;
  std::string location_;
  std::int64_t done_ = 0;
  std::int64_t chunk_minimum_ = 0;
  bool again_ = true;
};

bool Registry::has_blob(const Digest& digest) {
  Endpoint& endpoint = endpoints_.back();
  const HttpRequest request = make_request(endpoint, "HEAD", path("/blobs/" + digest.text()));
  const HttpResponse response = insist(endpoint, request, scopes());
  if (response.ok()) return true;
  if (response.status == 404) return false;
  fail(response, "push to " + repository_.repository());
}

bool Registry::mount_blob(const Digest& digest, const std::string& from) {
  Endpoint& endpoint = endpoints_.back();
  HttpRequest request = make_request(endpoint, "POST", path("/blobs/uploads/"));
  Url url = Url::parse(request.url);
  url.add_query("mount", digest.text());
  url.add_query("from", from);
  request.url = url.text();
  Scopes wider = scopes();
  wider.insert("repository:" + from + ":pull");
  const HttpResponse response = exchange(endpoint, request, wider);
  if (response.status == 202 && !response.header("location").empty()) {
    // It began an upload in place of the mount; that one is not needed.
    HttpRequest cancel = request;
    cancel.method = "DELETE";
    cancel.url = Url::parse(request.url).resolve(response.header("location")).text();
    exchange(endpoint, cancel, scopes());
  }
  return response.status == 201;
}

void Registry::upload_blob(const Descriptor& blob, int fd,
                           const std::function<void(std::int64_t)>& progress) {
  Upload(*this, blob, fd, progress).run();
}

void Registry::put_manifest(const std::string& tag_or_digest, const Descriptor& manifest,
                            const std::string& data) {
  Endpoint& endpoint = endpoints_.back();
  HttpRequest request = make_request(endpoint, "PUT", path("/manifests/" + tag_or_digest));
  request.headers.emplace_back("Content-Type", manifest.media_type);
  request.body = data;
  const HttpResponse response = insist(endpoint, request, scopes());
  if (!response.ok()) fail(response, "push " + repository_.text());
}

}  // namespace image
