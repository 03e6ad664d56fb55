// One container's side of the embedded DNS server: its UDP socket and what comes in on its TCP
// socket. Internal to the server; it includes Asio.
#pragma once

#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_set>
#include <vector>

#include "network/dns_server.hpp"
#include "network/dns_upstream.hpp"
#include "network/dns_zone.hpp"
#include "runtime/os/fd.hpp"

namespace network {

/// Datagrams taken from one socket, and answered, with one system call each way.
struct DnsBatch {
  static constexpr std::size_t kSize = 32;
  using Buffer = std::array<std::uint8_t, kDnsMaximumUdpSize>;

  DnsBatch();
  /// Makes all of it ready for recvmmsg(2).
  void reset();
  DnsBytes request(std::size_t index) const;
  /// Queues the first `size` bytes of replies[count], for whoever sent requests[index].
  void add_reply(std::size_t index, std::size_t size);
  /// Sends what is queued; what the socket does not take at once is lost, as datagrams are.
  void send(int fd);

  std::array<mmsghdr, kSize> received{};
  std::array<iovec, kSize> received_parts{};
  std::array<sockaddr_storage, kSize> senders{};
  std::array<Buffer, kSize> requests;
  std::array<mmsghdr, kSize> sent{};
  std::array<iovec, kSize> sent_parts{};
  std::array<Buffer, kSize> replies;
  std::size_t count = 0;
};

/// What all listeners of a server share. One thread: a buffer is in use only within one handler.
struct DnsContext {
  DnsContext(boost::asio::io_context& context, UpstreamConfig config);

  boost::asio::io_context& io;
  DnsZone zone;
  DnsUpstream upstream;
  DnsBatch batch;
  std::vector<std::uint8_t> buffer;
};

/// The reply to `packet` that a client is given for what an upstream replied: the same, or SERVFAIL
/// when that is empty, or the advice to ask over TCP when it is more than the client takes. Written
/// to `buffer` unless it is `reply` itself.
DnsBytes settle_dns_reply(DnsBytes packet, DnsBytes reply, DnsTransport transport,
                          std::span<std::uint8_t> buffer);

class DnsConnection;

/// Serves the sockets of one container until close().
class DnsListener : public std::enable_shared_from_this<DnsListener> {
 public:
  DnsListener(DnsContext& context, std::shared_ptr<const DnsPolicy> policy);

  /// Takes the sockets and starts to serve them. Throws os::Error.
  void start(os::UniqueFd udp, os::UniqueFd tcp);
  /// Closes sockets and connections; nothing of the context is touched afterwards.
  void close();

  void set_policy(std::shared_ptr<const DnsPolicy> policy) { policy_ = std::move(policy); }
  const DnsPolicy& policy() const noexcept { return *policy_; }
  /// Forgets a connection that has ended, and makes room for the next.
  void drop(const std::shared_ptr<DnsConnection>& connection);
  /// The resolvers of the policy, to be kept as long as a query is under way.
  std::shared_ptr<const DnsResolvers> resolvers() const { return {policy_, &policy_->resolvers}; }

 private:
  void wait_datagrams();
  void on_datagrams();
  void answer_batch(std::size_t received);
  void forward_datagram(DnsBytes packet, const msghdr& header);
  void wait_connections();
  void on_connections();
  void wait_before_accepting();

  DnsContext& context_;
  std::shared_ptr<const DnsPolicy> policy_;
  boost::asio::posix::stream_descriptor udp_;
  boost::asio::posix::stream_descriptor tcp_;
  boost::asio::steady_timer retry_;
  std::unordered_set<std::shared_ptr<DnsConnection>> connections_;
  bool accepting_ = false;
  bool closed_ = false;
};

}  // namespace network
