#include "runtime/build/download.hpp"

#include <curl/curl.h>

#include <memory>

#include "runtime/image/blob_writer.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

constexpr curl_off_t kLargest = std::int64_t{8} << 30;

struct Transfer {
  image::BlobWriter* writer = nullptr;
  const Cancel* cancel = nullptr;
  std::exception_ptr failure;
  std::int64_t written = 0;
};

std::size_t on_data(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  try {
    transfer.written += static_cast<std::int64_t>(bytes);
    if (transfer.written > kLargest) throw os::Error("it is larger than 8 GiB");
    transfer.writer->write({data, bytes});
    return bytes;
  } catch (...) {
    transfer.failure = std::current_exception();
    return 0;
  }
}

int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(self)->cancel->requested() ? 1 : 0;
}

struct EasyDelete {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct ListDelete {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

void initialise() {
  static const bool done = [] { return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK; }();
  if (!done) throw os::Error("cannot start libcurl");
}

std::string name_of(const std::string& url) {
  std::string path = url.substr(0, url.find_first_of("?#"));
  path = path.substr(path.find("://") + 3);
  const auto slash = path.find('/');
  if (slash == std::string::npos) return {};
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

bool is_http_url(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

Download download(const std::string& url, const std::string& path,
                  const std::vector<std::string>& headers, const Cancel& cancel) {
  initialise();
  const std::unique_ptr<CURL, EasyDelete> handle(curl_easy_init());
  if (!handle) throw os::Error("cannot start a download");
  CURL* curl = handle.get();
  std::unique_ptr<curl_slist, ListDelete> list;
  for (const std::string& header : headers)
    list.reset(curl_slist_append(list.release(), header.c_str()));
  image::BlobWriter writer(path);
  Transfer transfer{.writer = &writer, .cancel = &cancel, .failure = nullptr};
  char message[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "stack/" STACK_VERSION);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
                   url.starts_with("https://") ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_FILETIME, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 30L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  const CURLcode code = curl_easy_perform(curl);
  cancel.check();
  if (transfer.failure) std::rethrow_exception(transfer.failure);
  if (code != CURLE_OK)
    throw os::Error("download " + url + ": " +
                    (message[0] != '\0' ? message : curl_easy_strerror(code)));
  const image::StagedFile file = writer.finish();
  Download result{.path = path, .digest = file.digest, .modified = {}, .name = name_of(url)};
  curl_off_t modified = -1;
  if (curl_easy_getinfo(curl, CURLINFO_FILETIME_T, &modified) == CURLE_OK && modified >= 0)
    result.modified = modified;
  return result;
}

}  // namespace build
