#include "network/dns_listener.hpp"

#include <sys/random.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "network/dns_connection.hpp"
#include "runtime/os/error.hpp"

namespace network {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kMaximumConnections = 64;

// Batches from one socket before the others get their turn.
constexpr int kBatchesPerWakeUp = 4;

// No connection can be taken, for want of descriptors most likely: when to look again.
constexpr std::chrono::seconds kAcceptPause(1);

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  os::check(::getrandom(&seed, sizeof seed, 0), [] { return std::string("getrandom"); });
  return seed;
}

void assign(asio::posix::stream_descriptor& descriptor, os::UniqueFd fd) {
  os::set_nonblocking(fd.get());
  ErrorCode error;
  descriptor.assign(fd.get(), error);
  if (error) throw os::Error(error.value(), "watch a DNS socket");
  static_cast<void>(fd.release());
}

}  // namespace

DnsBatch::DnsBatch() {
  for (std::size_t i = 0; i < kSize; ++i) {
    received_parts[i] = {requests[i].data(), requests[i].size()};
    sent_parts[i] = {replies[i].data(), 0};
    received[i].msg_hdr.msg_iov = &received_parts[i];
    received[i].msg_hdr.msg_iovlen = 1;
    received[i].msg_hdr.msg_name = &senders[i];
    sent[i].msg_hdr.msg_iov = &sent_parts[i];
    sent[i].msg_hdr.msg_iovlen = 1;
  }
}

void DnsBatch::reset() {
  count = 0;
  for (mmsghdr& message : received) message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
}

DnsBytes DnsBatch::request(std::size_t index) const {
  return DnsBytes(requests[index]).first(received[index].msg_len);
}

void DnsBatch::add_reply(std::size_t index, std::size_t size) {
  sent_parts[count].iov_len = size;
  sent[count].msg_hdr.msg_name = received[index].msg_hdr.msg_name;
  sent[count].msg_hdr.msg_namelen = received[index].msg_hdr.msg_namelen;
  ++count;
}

void DnsBatch::send(int fd) {
  std::size_t done = 0;
  while (done < count) {
    const int result = ::sendmmsg(fd, &sent[done], static_cast<unsigned>(count - done),
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
    if (result < 0 && (errno == EAGAIN || errno == ENOBUFS)) break;
    // The first of them failed: whoever sent it cannot be reached, the others still can.
    done += result < 0 ? 1 : static_cast<std::size_t>(result);
  }
  count = 0;
}

DnsContext::DnsContext(asio::io_context& context, UpstreamConfig config)
    : io(context),
      zone(random_seed()),
      upstream(context, std::move(config)),
      buffer(kDnsMaximumMessageSize) {}

DnsBytes settle_dns_reply(DnsBytes packet, DnsBytes reply, DnsTransport transport,
                          std::span<std::uint8_t> buffer) {
  const auto query = parse_dns_query(packet);
  if (!query) return {};
  if (reply.empty()) return buffer.first(write_dns_reply(*query, DnsRcode::servfail, buffer));
  if (reply.size() <= query->reply_limit(transport)) return reply;
  return buffer.first(write_truncated_dns_reply(*query, buffer));
}

DnsListener::DnsListener(DnsContext& context, std::shared_ptr<const DnsPolicy> policy)
    : context_(context),
      policy_(std::move(policy)),
      udp_(context.io),
      tcp_(context.io),
      retry_(context.io) {}

void DnsListener::start(os::UniqueFd udp, os::UniqueFd tcp) {
  if (udp) assign(udp_, std::move(udp));
  if (tcp) assign(tcp_, std::move(tcp));
  if (udp_.is_open()) wait_datagrams();
  if (tcp_.is_open()) wait_connections();
}

void DnsListener::close() {
  closed_ = true;
  ErrorCode ignored;
  udp_.close(ignored);
  tcp_.close(ignored);
  retry_.cancel();
  for (const auto& connection : std::exchange(connections_, {})) connection->close();
}

void DnsListener::wait_datagrams() {
  udp_.async_wait(asio::posix::descriptor_base::wait_read,
                  [self = shared_from_this()](ErrorCode error) {
                    if (!error && !self->closed_) self->on_datagrams();
                  });
}

void DnsListener::on_datagrams() {
  DnsBatch& batch = context_.batch;
  for (int i = 0; i < kBatchesPerWakeUp; ++i) {
    batch.reset();
    const int received = ::recvmmsg(udp_.native_handle(), batch.received.data(), DnsBatch::kSize,
                                    MSG_DONTWAIT, nullptr);
    if (received <= 0) break;
    answer_batch(static_cast<std::size_t>(received));
    if (static_cast<std::size_t>(received) < DnsBatch::kSize) break;
  }
  wait_datagrams();
}

void DnsListener::answer_batch(std::size_t received) {
  DnsBatch& batch = context_.batch;
  for (std::size_t i = 0; i < received; ++i) {
    const msghdr& header = batch.received[i].msg_hdr;
    if ((header.msg_flags & MSG_TRUNC) != 0) continue;
    const DnsBytes packet = batch.request(i);
    const DnsAnswer answer =
        context_.zone.answer(packet, policy_->view, DnsTransport::udp, batch.replies[batch.count]);
    if (answer.action == DnsAnswer::Action::reply) batch.add_reply(i, answer.size);
    if (answer.action == DnsAnswer::Action::forward) forward_datagram(packet, header);
  }
  batch.send(udp_.native_handle());
}

void DnsListener::forward_datagram(DnsBytes packet, const msghdr& header) {
  struct Sender {
    sockaddr_storage address{};
    socklen_t size = 0;
  };
  Sender sender;
  sender.size = header.msg_namelen;
  std::memcpy(&sender.address, header.msg_name, header.msg_namelen);
  context_.upstream.forward(
      packet, resolvers(),
      [weak = weak_from_this(), sender,
       query = std::vector<std::uint8_t>(packet.begin(), packet.end())](DnsBytes reply) {
        const auto self = weak.lock();
        if (!self || self->closed_) return;
        const DnsBytes settled =
            settle_dns_reply(query, reply, DnsTransport::udp, self->context_.buffer);
        ::sendto(self->udp_.native_handle(), settled.data(), settled.size(),
                 MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&sender.address),
                 sender.size);
      });
}

void DnsListener::wait_connections() {
  if (std::exchange(accepting_, true)) return;
  tcp_.async_wait(asio::posix::descriptor_base::wait_read,
                  [self = shared_from_this()](ErrorCode error) {
                    self->accepting_ = false;
                    if (!error && !self->closed_) self->on_connections();
                  });
}

void DnsListener::on_connections() {
  while (connections_.size() < kMaximumConnections) {
    os::UniqueFd fd(
        ::accept4(tcp_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd && errno == EAGAIN) return wait_connections();
    if (!fd && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (!fd) return wait_before_accepting();
    auto connection = std::make_shared<DnsConnection>(context_, *this);
    connections_.insert(connection);
    connection->start(std::move(fd));
  }
  // Enough: the next waits in the kernel's queue until one of these ends (see drop()).
}

void DnsListener::wait_before_accepting() {
  retry_.expires_after(kAcceptPause);
  retry_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error && !self->closed_) self->wait_connections();
  });
}

void DnsListener::drop(const std::shared_ptr<DnsConnection>& connection) {
  connections_.erase(connection);
  if (!closed_) wait_connections();
}

}  // namespace network
