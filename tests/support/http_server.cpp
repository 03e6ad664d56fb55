#include "tests/support/http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/os/error.hpp"

namespace support {

namespace {

std::string lowercase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool receive_more(int socket, std::string& data) {
  char buffer[65536];
  const ssize_t n = ::recv(socket, buffer, sizeof buffer, 0);
  if (n <= 0) return false;
  data.append(buffer, static_cast<std::size_t>(n));
  return true;
}

std::optional<ServedRequest> read_request(int socket) {
  std::string data;
  std::size_t end = 0;
  while ((end = data.find("\r\n\r\n")) == std::string::npos) {
    if (!receive_more(socket, data)) return std::nullopt;
    if (std::isupper(static_cast<unsigned char>(data.front())) == 0) return std::nullopt;  // TLS
  }
  ServedRequest request;
  const std::string head = data.substr(0, end + 2);
  const std::string first = head.substr(0, head.find("\r\n"));
  request.method = first.substr(0, first.find(' '));
  std::string target = first.substr(request.method.size() + 1);
  target = target.substr(0, target.find(' '));
  request.path = target.substr(0, target.find('?'));
  if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
  for (std::size_t at = first.size() + 2; at < head.size();) {
    const std::size_t stop = head.find("\r\n", at);
    const std::string line = head.substr(at, stop - at);
    at = stop + 2;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    request.headers[lowercase(line.substr(0, colon))] =
        line.substr(std::min(line.find_first_not_of(' ', colon + 1), line.size()));
  }
  request.body = data.substr(end + 4);
  const std::string length = request.header("content-length");
  const std::size_t wanted = length.empty() ? 0 : std::stoul(length);
  while (request.body.size() < wanted)
    if (!receive_more(socket, request.body)) return std::nullopt;
  return request;
}

bool send_all(int socket, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::send(socket, data.data(), data.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void send_answer(int socket, const ServedAnswer& answer, bool with_body) {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " Answer\r\n";
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  head += "Content-Length: " + std::to_string(answer.length.value_or(answer.body.size())) +
          "\r\nConnection: close\r\n\r\n";
  if (!send_all(socket, head) || !with_body) return;
  std::string_view body = answer.body;
  body = body.substr(0, answer.cut_after.value_or(body.size()));
  while (!body.empty()) {
    if (answer.pause.count() > 0) std::this_thread::sleep_for(answer.pause);
    const std::string_view part = body.substr(0, 65536);
    if (!send_all(socket, part)) return;
    body.remove_prefix(part.size());
  }
}

}  // namespace

HttpServer::HttpServer(Handler handler)
    : handler_(std::move(handler)),
      listener_(os::check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                          [] { return "make a socket"; })) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  os::check(::bind(listener_.get(), plain, size), [] { return "bind a socket"; });
  os::check(::listen(listener_.get(), 64), [] { return "listen"; });
  os::check(::getsockname(listener_.get(), plain, &size), [] { return "ask for the port"; });
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
}

void HttpServer::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    connections_.emplace_back([this, socket] { serve(socket); });
  }
}

void HttpServer::serve(int socket) {
  const os::UniqueFd owner(socket);
  const auto request = read_request(socket);
  if (!request) return;
  ServedAnswer answer;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(*request);
    answer = handler_(*request);
  }
  send_answer(socket, answer, request->method != "HEAD");
}

std::vector<ServedRequest> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

int HttpServer::count(const std::string& method, const std::string& part) const {
  int found = 0;
  for (const ServedRequest& request : requests())
    if (request.method == method && request.path.find(part) != std::string::npos) ++found;
  return found;
}

}  // namespace support
