// The embedded DNS server of a stack: one object on the event loop of the caller serves all
// containers, each through sockets made inside its network namespace. It makes none there itself.
#pragma once

#include <memory>
#include <string>

#include "network/dns_upstream.hpp"
#include "network/dns_zone.hpp"
#include "runtime/os/fd.hpp"

namespace boost::asio {
class io_context;
}

namespace network {

/// What one container may see and whom its other queries go to.
struct DnsPolicy {
  DnsView view;
  DnsResolvers resolvers;
};

/// Not thread-safe: all calls on the thread that runs `io`. While an endpoint is served its sockets
/// keep the container's network namespace alive; remove() lets it go.
class DnsServer {
 public:
  explicit DnsServer(boost::asio::io_context& io, UpstreamConfig upstream = {});
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  /// The name table that all answers come from.
  DnsZone& zone() noexcept;

  /// Serves a container: `udp` is bound, `tcp` is bound and listening (either may be empty). An
  /// endpoint of the same id is replaced. Throws os::Error.
  void add(const std::string& endpoint_id, os::UniqueFd udp, os::UniqueFd tcp, DnsPolicy policy);
  /// Changes what it sees from the next query on. Throws os::Error when there is none of that id.
  void update(const std::string& endpoint_id, DnsPolicy policy);
  /// Closes its sockets and connections; content when there is none.
  void remove(const std::string& endpoint_id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace network
