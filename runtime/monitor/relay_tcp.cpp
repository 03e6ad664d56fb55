#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <list>
#include <string_view>

#include "runtime/monitor/relay.hpp"
#include "runtime/os/error.hpp"

namespace monitor {

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

SocketAddress SocketAddress::parse(const std::string& text) {
  SocketAddress address;
  const auto colon = text.rfind(':');
  const auto port = colon == std::string::npos
                        ? std::nullopt
                        : parse_port(std::string_view(text).substr(colon + 1));
  if (!port) throw os::Error(EINVAL, "use '" + text + "' as an address");
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(*port);
    address.size = sizeof *v6;
    if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) return address;
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(*port);
    address.size = sizeof *v4;
    if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) return address;
  }
  throw os::Error(EINVAL, "use '" + text + "' as an address");
}

std::string SocketAddress::key() const {
  if (storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    return std::string(reinterpret_cast<const char*>(&v6->sin6_addr), sizeof v6->sin6_addr) +
           std::string(reinterpret_cast<const char*>(&v6->sin6_port), sizeof v6->sin6_port) +
           std::to_string(v6->sin6_scope_id);
  }
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
  return std::string(reinterpret_cast<const char*>(&v4->sin_addr), sizeof v4->sin_addr) +
         std::string(reinterpret_cast<const char*>(&v4->sin_port), sizeof v4->sin_port);
}

namespace {

constexpr std::size_t kMaxConnections = 4096;
constexpr std::chrono::milliseconds kAcceptPause{100};
// What is read is written at once as a rule, so one buffer serves all connections.
alignas(64) char read_buffer[64 * 1024];

/// One direction of a connection. What the receiver does not take at once waits in `pending`, and
/// nothing more is read until it is gone.
struct Direction {
  int from = -1;
  int to = -1;
  std::string pending;
  bool read_ended = false;
  bool write_ended = false;
};

class TcpRelay : public Relay {
 public:
  TcpRelay(EventLoop& loop, os::UniqueFd listener, SocketAddress to)
      : loop_(loop), listener_(std::move(listener)), to_(to) {
    os::set_nonblocking(listener_.get());
    watch_listener();
  }
  TcpRelay(const TcpRelay&) = delete;
  TcpRelay& operator=(const TcpRelay&) = delete;
  ~TcpRelay() override {
    if (pause_ != 0) loop_.cancel(pause_);
    loop_.remove(listener_.get());
    while (!connections_.empty()) drop(connections_.begin());
  }

 private:
  struct Connection {
    os::UniqueFd client;
    os::UniqueFd server;
    Direction up;
    Direction down;
    bool connected = false;
  };
  using Connections = std::list<Connection>;

  void watch_listener() {
    pause_ = 0;
    loop_.add(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); });
  }

  void accept() {
    os::UniqueFd client(
        connections_.size() >= kMaxConnections
            ? -1
            : ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (client) return connect(std::move(client));
    if (connections_.size() < kMaxConnections && errno != EMFILE && errno != ENFILE &&
        errno != ENOBUFS && errno != ENOMEM)
      return;
    // Full: the backlog holds them until connections have ended.
    loop_.remove(listener_.get());
    pause_ = loop_.after(kAcceptPause, [this] { watch_listener(); });
  }

  void connect(os::UniqueFd client) {
    os::UniqueFd server(
        ::socket(to_.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!server) return;
    const int on = 1;
    ::setsockopt(server.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(server.get(), to_.get(), to_.size) != 0 && errno != EINPROGRESS)
      return reset(client.get());
    connections_.emplace_back();
    const auto connection = std::prev(connections_.end());
    connection->up = Direction{client.get(), server.get(), {}, false, false};
    connection->down = Direction{server.get(), client.get(), {}, false, false};
    connection->client = std::move(client);
    connection->server = std::move(server);
    loop_.add(connection->client.get(), 0,
              [this, connection](std::uint32_t events) { serve(connection, events, true); });
    loop_.add(connection->server.get(), EPOLLOUT,
              [this, connection](std::uint32_t events) { serve(connection, events, false); });
  }

  /// The peer sees a reset, as from a port where nobody listens.
  static void reset(int socket) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  void serve(Connections::iterator connection, std::uint32_t events, bool from_client) {
    if (!from_client && !connection->connected) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(connection->server.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0 || (events & EPOLLERR) != 0) return fail(connection);
      connection->connected = true;
    }
    if ((events & EPOLLERR) != 0 || (!connection->connected && (events & EPOLLHUP) != 0))
      return fail(connection);
    if (!connection->connected) return;
    if (!transfer(connection->up) || !transfer(connection->down)) return fail(connection);
    if (connection->up.write_ended && connection->down.write_ended) return drop(connection);
    watch(*connection);
  }

  /// Moves what can be moved now; false when the connection is broken.
  static bool transfer(Direction& direction) {
    constexpr int kMaxReads = 16;  // then the others have their turn
    for (int reads = 0; reads < kMaxReads; ++reads) {
      if (!flush(direction)) return false;
      if (!direction.pending.empty() || direction.read_ended) break;
      const ssize_t n = ::recv(direction.from, read_buffer, sizeof read_buffer, 0);
      if (n < 0) return errno == EAGAIN || errno == EINTR;
      if (n == 0) {
        direction.read_ended = true;
        continue;
      }
      direction.pending.assign(read_buffer, static_cast<std::size_t>(n));
    }
    if (direction.read_ended && direction.pending.empty() && !direction.write_ended) {
      ::shutdown(direction.to, SHUT_WR);
      direction.write_ended = true;
    }
    return true;
  }

  static bool flush(Direction& direction) {
    if (direction.pending.empty()) return true;
    const ssize_t n =
        ::send(direction.to, direction.pending.data(), direction.pending.size(), MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    direction.pending.erase(0, static_cast<std::size_t>(n));
    if (direction.pending.empty()) direction.pending.shrink_to_fit();
    return true;
  }

  void watch(const Connection& connection) {
    const auto events = [](const Direction& reading, const Direction& writing) {
      std::uint32_t wanted = 0;
      if (!reading.read_ended && reading.pending.empty()) wanted |= EPOLLIN;
      if (!writing.pending.empty()) wanted |= EPOLLOUT;
      return wanted;
    };
    loop_.modify(connection.client.get(), events(connection.up, connection.down));
    loop_.modify(connection.server.get(), events(connection.down, connection.up));
  }

  void fail(Connections::iterator connection) {
    reset(connection->client.get());
    drop(connection);
  }

  void drop(Connections::iterator connection) {
    loop_.remove(connection->client.get());
    loop_.remove(connection->server.get());
    connections_.erase(connection);
  }

  EventLoop& loop_;
  os::UniqueFd listener_;
  SocketAddress to_;
  Connections connections_;
  EventLoop::TimerId pause_ = 0;
};

}  // namespace

std::unique_ptr<Relay> relay_tcp(EventLoop& loop, os::UniqueFd listener, SocketAddress to) {
  return std::make_unique<TcpRelay>(loop, std::move(listener), to);
}

}  // namespace monitor
