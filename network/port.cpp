#include "network/port.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "network/firewall.hpp"
#include "network/port_holder.hpp"
#include "runtime/os/error.hpp"

namespace network {

namespace {

constexpr int kBacklog = 4096;
constexpr int kEphemeralTries = 10;

/// An address as the socket calls take it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  SocketAddress(const IpAddress& address, std::uint16_t port) {
    if (address.is_v4()) {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      std::memcpy(&v4.sin_addr, address.data(), address.size());
      std::memcpy(&storage, &v4, size = sizeof(v4));
    } else {
      sockaddr_in6 v6{};
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(port);
      std::memcpy(&v6.sin6_addr, address.data(), address.size());
      std::memcpy(&storage, &v6, size = sizeof(v6));
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// Set before bind: not one packet may slip in between.
void drop_everything(int socket) {
  sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{.len = 1, .filter = &nothing};
  os::check(::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)),
            [] { return std::string("attach a filter to a port's socket"); });
}

void turn_on(int socket, int level, int option, const char* name) {
  const int on = 1;
  os::check(::setsockopt(socket, level, option, &on, sizeof(on)),
            [&] { return std::string("set ") + name + " on a port's socket"; });
}

std::string range_text(const PublishSpec& spec) {
  return std::to_string(spec.published_first) + "-" + std::to_string(spec.published_last);
}

/// One socket per address; nothing when the port is taken at one of them, which is then `taken_at`.
std::optional<BoundPort> try_bind(const std::string& protocol,
                                  const std::vector<PortAddress>& addresses, std::uint16_t port,
                                  IpAddress& taken_at) {
  BoundPort bound;
  bound.port = port;
  for (const PortAddress& where : addresses) {
    std::optional<os::UniqueFd> socket = bind_port(protocol, where.address, bound.port, where.use);
    if (!socket) {
      taken_at = where.address;
      return std::nullopt;
    }
    // With port 0 the first address chooses for all.
    if (bound.port == 0) bound.port = port_of(socket->get());
    bound.sockets.push_back(std::move(*socket));
  }
  return bound;
}

[[noreturn]] void fail_taken(const PublishSpec& spec, const IpAddress& address,
                             std::uint16_t port) {
  const std::string text =
      "Bind for " + address.with_port(port) + " failed: port is already allocated";
  const auto holder = find_port_holder(spec.protocol, port);
  throw os::Error(EADDRINUSE, holder ? text + " (held by " + holder->text() + ")" : text);
}

}  // namespace

std::optional<os::UniqueFd> bind_port(const std::string& protocol, const IpAddress& address,
                                      std::uint16_t port, PortUse use) {
  const auto describe = [&] { return "bind " + protocol + " port " + address.with_port(port); };
  const int type = protocol == "udp" ? SOCK_DGRAM : SOCK_STREAM;
  os::UniqueFd socket(os::check(
      ::socket(address.family(), type | SOCK_CLOEXEC, protocol_number(protocol)), describe));
  if (use == PortUse::reserve) drop_everything(socket.get());
  if (!address.is_v4()) turn_on(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY");
  // Connections of an earlier holder that linger in TIME_WAIT do not count; a listener does.
  if (protocol == "tcp") turn_on(socket.get(), SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR");
  const SocketAddress name(address, port);
  const bool ready = ::bind(socket.get(), name.get(), name.size) == 0 &&
                     (type == SOCK_DGRAM || ::listen(socket.get(), kBacklog) == 0);
  if (ready) return socket;
  if (errno == EADDRINUSE) return std::nullopt;
  throw os::Error(errno, describe());
}

std::uint16_t port_of(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  os::check(::getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size),
            [] { return std::string("read the port of a socket"); });
  if (storage.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
}

BoundPort bind_published_port(const PublishSpec& spec, const std::vector<PortAddress>& addresses) {
  IpAddress taken_at;
  if (spec.published_first == 0) {
    for (int tried = 0; tried < kEphemeralTries; ++tried) {
      std::optional<BoundPort> bound = try_bind(spec.protocol, addresses, 0, taken_at);
      if (bound) return std::move(*bound);
    }
    throw os::Error(EADDRINUSE, "find a free port for " + std::to_string(spec.target));
  }
  const unsigned last = std::max(spec.published_first, spec.published_last);
  for (unsigned port = spec.published_first; port <= last; ++port) {
    std::optional<BoundPort> bound =
        try_bind(spec.protocol, addresses, static_cast<std::uint16_t>(port), taken_at);
    if (bound) return std::move(*bound);
  }
  if (last == spec.published_first) fail_taken(spec, taken_at, spec.published_first);
  throw os::Error(EADDRINUSE, "Bind for " + taken_at.to_string() + ":" + range_text(spec) +
                                  " failed: all ports are allocated");
}

}  // namespace network
