// Resolvers for tests: sockets on the loopback, on a thread of their own, that reply as told.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "runtime/os/fd.hpp"
#include "tests/unit/network_dns/packets.hpp"

namespace network::test {

/// Where and how one resolver replies.
class FakeUpstream {
 public:
  /// Given a query and whether it came over TCP; nothing is silence.
  using Behaviour = std::function<std::optional<Bytes>(DnsBytes query, bool tcp)>;

  /// Listens at `address` on `port`, 0 for any, for UDP and, unless told otherwise, TCP.
  FakeUpstream(const std::string& address, std::uint16_t port, Behaviour behaviour,
               bool with_tcp = true);
  ~FakeUpstream();

  std::uint16_t port() const noexcept { return port_; }
  int datagrams() const noexcept { return datagrams_; }
  int streams() const noexcept { return streams_; }

 private:
  void run();
  void serve_datagram();
  void serve_stream();

  Behaviour behaviour_;
  std::uint16_t port_ = 0;
  os::UniqueFd udp_;
  os::UniqueFd tcp_;
  os::UniqueFd stop_;
  std::atomic<int> datagrams_ = 0;
  std::atomic<int> streams_ = 0;
  std::thread thread_;
};

/// A bound (for SOCK_STREAM also listening) socket and the port it got.
os::UniqueFd bound_socket(int type, const std::string& address, std::uint16_t& port);

}  // namespace network::test
