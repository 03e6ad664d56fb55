#include "runtime/build/download.hpp"

#include <ctime>

#include "runtime/image/blob_writer.hpp"
#include "runtime/image/http_client.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {

namespace {

constexpr std::int64_t kLargest = std::int64_t{8} << 30;

std::string name_of(const std::string& url) {
  std::string path = url.substr(0, url.find_first_of("?#"));
  path = path.substr(path.find("://") + 3);
  const auto slash = path.find('/');
  if (slash == std::string::npos) return {};
  return path.substr(path.rfind('/') + 1);
}

/// Of "Tue, 15 Nov 1994 12:45:26 GMT" (RFC 9110, 5.6.7).
std::optional<std::int64_t> parse_http_date(const std::string& text) {
  std::tm time{};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const std::int64_t seconds = ::timegm(&time);
  if (seconds < 0) return std::nullopt;
  return seconds;
}

}  // namespace

bool is_http_url(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

std::string authorization_for(const std::string& url,
                              const std::map<std::string, Secret>& secrets) {
  const auto begin = url.find("://") + 3;
  const std::string host = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  const auto secret = [&](const std::string& id) -> std::optional<std::string> {
    const auto found = secrets.find(id);
    if (found == secrets.end()) return std::nullopt;
    std::string text =
        found->second.content ? *found->second.content : os::read_file(found->second.file);
    text.resize(text.find_last_not_of("\r\n") + 1);  // the file's end is no part of it
    return text;
  };
  if (auto header = secret("HTTP_AUTH_HEADER_" + host)) return *std::move(header);
  if (const auto token = secret("HTTP_AUTH_TOKEN_" + host)) return "Bearer " + *token;
  return {};
}

Download download(const std::string& url, const std::string& path, const DownloadOptions& options,
                  const Cancel& cancel) {
  image::HttpClient http(options.environment);
  image::HttpRequest request;
  request.url = url.substr(0, url.find('#'));
  if (!options.authorization.empty())
    request.headers.emplace_back("Authorization", options.authorization);
  request.given_up = [&cancel] { return cancel.requested(); };
  image::BlobWriter writer(path);
  std::int64_t written = 0;
  const image::BodySink sink = [&](const image::HttpResponse&, std::string_view data) {
    written += static_cast<std::int64_t>(data.size());
    if (written > kLargest) throw os::Error("download " + url + ": it is larger than 8 GiB");
    writer.write(data);
  };
  const auto trust_the_system = [](const std::string&) { return image::TlsOptions{}; };
  const image::HttpResponse response =
      image::perform_following(http, std::move(request), trust_the_system, sink);
  cancel.check();
  if (!response.failure.empty()) throw os::Error("download " + url + ": " + response.failure);
  if (!response.ok())
    throw os::Error("download " + url + ": the server answers " + std::to_string(response.status));
  const image::StagedFile file = writer.finish();
  return {.path = path,
          .digest = file.digest,
          .modified = parse_http_date(response.header("last-modified")),
          .name = name_of(url)};
}

}  // namespace build
