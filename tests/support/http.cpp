#include "tests/support/http.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstring>

#include "runtime/os/error.hpp"

namespace support {

namespace {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
};

Endpoint endpoint(const std::string& host, int port) {
  Endpoint result;
  const auto number = htons(static_cast<std::uint16_t>(port));
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = number;
    result.size = sizeof v4;
    std::memcpy(&result.address, &v4, sizeof v4);
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = number;
    result.size = sizeof v6;
    std::memcpy(&result.address, &v6, sizeof v6);
  } else {
    throw os::Error("'" + host + "' is not an address");
  }
  return result;
}

// A connected socket whose every wait ends after `timeout`; empty when nobody answers.
os::UniqueFd connect_to(const std::string& host, int port, int type,
                        std::chrono::milliseconds timeout) {
  const Endpoint target = endpoint(host, port);
  os::UniqueFd socket(os::check(::socket(target.address.ss_family, type | SOCK_CLOEXEC, 0),
                                [] { return "make a socket"; }));
  const timeval time{.tv_sec = timeout.count() / 1000, .tv_usec = timeout.count() % 1000 * 1000};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  const int result =
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&target.address), target.size);
  return result == 0 ? std::move(socket) : os::UniqueFd();
}

}  // namespace

std::optional<std::string> http_get(const std::string& host, int port, const std::string& path,
                                    std::chrono::milliseconds timeout) {
  const os::UniqueFd socket = connect_to(host, port, SOCK_STREAM, timeout);
  if (!socket) return std::nullopt;
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return std::nullopt;
  std::string reply;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::recv(socket.get(), buffer, sizeof buffer, 0)) > 0;)
    reply.append(buffer, static_cast<std::size_t>(count));
  if (const auto end = reply.find("\r\n\r\n"); end != std::string::npos)
    return reply.substr(end + 4);
  // The head that a CGI script wrote may end its lines as a script does.
  if (const auto end = reply.find("\n\n"); end != std::string::npos) return reply.substr(end + 2);
  return std::nullopt;
}

std::optional<std::string> exchange_datagram(const std::string& host, int port,
                                             const std::string& text,
                                             std::chrono::milliseconds timeout) {
  const os::UniqueFd socket = connect_to(host, port, SOCK_DGRAM, timeout);
  if (!socket || ::send(socket.get(), text.data(), text.size(), 0) < 0) return std::nullopt;
  char buffer[4096];
  const ssize_t count = ::recv(socket.get(), buffer, sizeof buffer, 0);
  if (count < 0) return std::nullopt;
  return std::string(buffer, static_cast<std::size_t>(count));
}

bool can_connect(const std::string& host, int port) {
  return static_cast<bool>(connect_to(host, port, SOCK_STREAM, std::chrono::seconds(2)));
}

os::UniqueFd open_connection(const std::string& host, int port, std::chrono::milliseconds timeout) {
  return connect_to(host, port, SOCK_STREAM, timeout);
}

Listener listen_on(int port) {
  Listener listener;
  listener.socket.reset(
      os::check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), [] { return "make a socket"; }));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(static_cast<std::uint16_t>(port));
  const int on = 1;
  ::setsockopt(listener.socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto describe = [&] { return "listen on port " + std::to_string(port); };
  os::check(::bind(listener.socket.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), describe);
  os::check(::listen(listener.socket.get(), 16), describe);
  socklen_t size = sizeof any;
  os::check(::getsockname(listener.socket.get(), reinterpret_cast<sockaddr*>(&any), &size),
            describe);
  listener.port = ntohs(any.sin_port);
  return listener;
}

int free_port() {
  static int next = 20000 + ::getpid() % 5000;
  for (int tries = 0; tries < 1000; ++tries) {
    const int port = next++;
    try {
      listen_on(port);
      return port;
    } catch (const os::Error&) {
      continue;
    }
  }
  throw os::Error("no port is free from 20000 on");
}

}  // namespace support
