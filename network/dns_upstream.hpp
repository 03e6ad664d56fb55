// Forwards queries to the resolvers that the host or the user named, and hands back what they say.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "network/dns_message.hpp"
#include "runtime/os/fd.hpp"

namespace boost::asio {
class io_context;
}

namespace network {

/// Opens an unconnected socket: `domain` is AF_INET or AF_INET6, `type` SOCK_DGRAM or SOCK_STREAM,
/// both non-blocking and close-on-exec. A socket belongs to the network namespace it is made in, so
/// this is how queries leave from a container's own. Throws os::Error.
using DnsSocketFactory = std::function<os::UniqueFd(int domain, int type)>;

struct UpstreamConfig {
  /// The host's resolvers (resolv.conf(5)), read again when the file changes.
  std::string resolv_conf = "/etc/resolv.conf";
  /// Where resolvers listen.
  std::uint16_t port = 53;
  /// How long one resolver is waited for before the next is asked.
  std::chrono::milliseconds timeout = std::chrono::seconds(4);
  /// Queries under way at once; one more is refused with SERVFAIL.
  std::size_t max_in_flight = 1024;
};

/// The resolvers one container uses in place of the host's (`dns:`).
struct DnsResolvers {
  /// IP addresses as text; the first three count. Empty: the host's.
  std::vector<std::string> servers;
  /// Empty: sockets of the calling process.
  DnsSocketFactory open_socket;
};

/// Queries under way to upstream resolvers.
class DnsUpstream {
 public:
  /// Takes the reply, with the id of the query; empty when no resolver gave any.
  using Completion = std::function<void(DnsBytes reply)>;

  DnsUpstream(boost::asio::io_context& io, UpstreamConfig config);
  /// Forgets what is under way: no completion is called any more.
  ~DnsUpstream();
  DnsUpstream(const DnsUpstream&) = delete;
  DnsUpstream& operator=(const DnsUpstream&) = delete;

  /// Sends `query` under a random id from a random port to the first resolver; to the next after
  /// silence, an ICMP error, SERVFAIL or REFUSED; and over TCP when the reply was truncated.
  /// Everything else in query and reply passes unchanged. Completes exactly once and never before
  /// this returns; without a reply when too many are under way. `resolvers` may be null: the
  /// host's.
  void forward(DnsBytes query, std::shared_ptr<const DnsResolvers> resolvers,
               Completion completion);

  std::size_t in_flight() const noexcept;

 private:
  struct Shared;
  class Exchange;
  std::unique_ptr<Shared> shared_;
};

}  // namespace network
