// A user-space relay for published ports: takes connections and datagrams on sockets of the host
// and passes them to an address of the container's network.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/monitor/event_loop.hpp"
#include "runtime/os/fd.hpp"

namespace monitor {

/// "172.18.0.2:80" or "[fd00::2]:80".
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  /// Throws os::Error when malformed.
  static SocketAddress parse(const std::string& text);
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  /// The bytes that tell one address from another.
  std::string key() const;
};

class Relay {
 public:
  virtual ~Relay() = default;
};

/// Relays TCP connections accepted on `listener`, half-closing as the ends do.
std::unique_ptr<Relay> relay_tcp(EventLoop& loop, os::UniqueFd listener, SocketAddress to);
/// Relays datagrams that come to `socket`, a flow per sender, forgotten after 90 s of silence.
std::unique_ptr<Relay> relay_udp(EventLoop& loop, os::UniqueFd socket, SocketAddress to);

}  // namespace monitor
