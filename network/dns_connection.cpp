#include "network/dns_connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "network/dns_listener.hpp"

namespace network {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::seconds kIdle(10);
constexpr std::size_t kMaximumInFlight = 32;
constexpr std::size_t kMaximumOutput = 64 * 1024;

}  // namespace

DnsConnection::DnsConnection(DnsContext& context, DnsListener& listener)
    : context_(context), listener_(&listener), socket_(context.io), idle_(context.io) {}

void DnsConnection::start(os::UniqueFd fd) {
  ErrorCode error;
  socket_.assign(fd.get(), error);
  if (error) return end();
  static_cast<void>(fd.release());
  touch();
  wait_idle();
  wait_readable();
}

void DnsConnection::close() {
  listener_ = nullptr;
  ErrorCode ignored;
  socket_.close(ignored);
  idle_.cancel();
}

void DnsConnection::end() {
  if (listener_ == nullptr) return;
  DnsListener* const listener = listener_;
  const auto self = shared_from_this();
  close();
  listener->drop(self);
}

void DnsConnection::touch() { deadline_ = std::chrono::steady_clock::now() + kIdle; }

void DnsConnection::wait_idle() {
  idle_.expires_at(deadline_);
  idle_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (error || self->listener_ == nullptr) return;
    if (self->in_flight_ > 0) self->touch();
    if (std::chrono::steady_clock::now() >= self->deadline_) return self->end();
    self->wait_idle();
  });
}

bool DnsConnection::has_room() const noexcept {
  return in_flight_ < kMaximumInFlight && output_.size() < kMaximumOutput;
}

bool DnsConnection::has_message() const noexcept {
  return input_size_ >= kPrefixSize && input_size_ - kPrefixSize >= dns_id(input_);
}

void DnsConnection::wait_readable() {
  reading_ = true;
  socket_.async_wait(asio::posix::descriptor_base::wait_read,
                     [self = shared_from_this()](ErrorCode error) {
                       self->reading_ = false;
                       if (!error && self->listener_ != nullptr) self->on_readable();
                     });
}

void DnsConnection::on_readable() {
  const ssize_t size = ::recv(socket_.native_handle(), input_.data() + input_size_,
                              input_.size() - input_size_, MSG_DONTWAIT);
  if (size < 0 && errno != EAGAIN && errno != EINTR) return end();
  if (size == 0) client_done_ = true;
  if (size > 0) input_size_ += static_cast<std::size_t>(size);
  proceed();
}

bool DnsConnection::take_messages() {
  std::size_t taken = 0;
  while (has_room() && input_size_ - taken >= kPrefixSize) {
    const DnsBytes rest = DnsBytes(input_).subspan(taken, input_size_ - taken);
    const std::size_t length = dns_id(rest);
    if (length < kDnsHeaderSize || length > input_.size() - kPrefixSize) return false;
    if (rest.size() - kPrefixSize < length) break;
    take_message(rest.subspan(kPrefixSize, length));
    taken += kPrefixSize + length;
  }
  std::copy(input_.begin() + static_cast<std::ptrdiff_t>(taken),
            input_.begin() + static_cast<std::ptrdiff_t>(input_size_), input_.begin());
  input_size_ -= taken;
  return true;
}

void DnsConnection::take_message(DnsBytes packet) {
  touch();
  const DnsAnswer answer =
      context_.zone.answer(packet, listener_->policy().view, DnsTransport::tcp, context_.buffer);
  if (answer.action == DnsAnswer::Action::reply) {
    send(DnsBytes(context_.buffer).first(answer.size));
  }
  if (answer.action != DnsAnswer::Action::forward) return;
  ++in_flight_;
  context_.upstream.forward(
      packet, listener_->resolvers(),
      [weak = weak_from_this(),
       query = std::vector<std::uint8_t>(packet.begin(), packet.end())](DnsBytes reply) {
        const auto self = weak.lock();
        if (!self || self->listener_ == nullptr) return;
        --self->in_flight_;
        self->send(settle_dns_reply(query, reply, DnsTransport::tcp, self->context_.buffer));
        self->proceed();
      });
}

void DnsConnection::send(DnsBytes reply) {
  output_.push_back(static_cast<std::uint8_t>(reply.size() >> 8));
  output_.push_back(static_cast<std::uint8_t>(reply.size() & 0xff));
  output_.insert(output_.end(), reply.begin(), reply.end());
}

void DnsConnection::flush() {
  if (writing_ || output_.empty()) return;
  const ssize_t size =
      ::send(socket_.native_handle(), output_.data(), output_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size < 0 && errno != EAGAIN && errno != EINTR) return end();
  if (size > 0) {
    touch();
    output_.erase(output_.begin(), output_.begin() + size);
  }
  if (!output_.empty()) wait_writable();
}

void DnsConnection::wait_writable() {
  writing_ = true;
  socket_.async_wait(asio::posix::descriptor_base::wait_write,
                     [self = shared_from_this()](ErrorCode error) {
                       self->writing_ = false;
                       if (!error && self->listener_ != nullptr) self->proceed();
                     });
}

void DnsConnection::proceed() {
  do {
    if (!take_messages()) return end();
    flush();
    if (listener_ == nullptr) return;
  } while (!writing_ && has_room() && has_message());
  if (client_done_ && in_flight_ == 0 && output_.empty()) return end();
  if (!client_done_ && has_room() && !reading_) wait_readable();
}

}  // namespace network
