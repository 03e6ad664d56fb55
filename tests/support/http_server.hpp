// An HTTP server for tests: answers as it is told, also as no honest server would. A thread per
// connection, one request each.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/os/fd.hpp"

namespace support {

struct ServedRequest {
  std::string method;
  std::string path;                            ///< without the query
  std::string query;                           ///< without the '?'
  std::map<std::string, std::string> headers;  ///< names in lowercase
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct ServedAnswer {
  int status = 200;
  std::multimap<std::string, std::string> headers;
  std::string body;
  std::optional<std::size_t> length;     ///< announced in place of the body's own
  std::optional<std::size_t> cut_after;  ///< the connection breaks after so many bytes of the body
  std::chrono::milliseconds pause{0};    ///< before each 64 KiB of the body
};

class HttpServer {
 public:
  using Handler = std::function<ServedAnswer(const ServedRequest&)>;
  /// On 127.0.0.1, any port. The handler is called from several threads, one at a time.
  explicit HttpServer(Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  int port() const { return port_; }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "http://" + host(); }
  /// All requests so far.
  std::vector<ServedRequest> requests() const;
  /// How many had this method and a path that contains `part`.
  int count(const std::string& method, const std::string& part) const;

 private:
  void accept_all();
  void serve(int socket);

  Handler handler_;
  os::UniqueFd listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<ServedRequest> requests_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace support
