#include "network/dns_upstream.hpp"

#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "network/dns_resolv_conf.hpp"
#include "runtime/os/error.hpp"

namespace network {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

// Where the embedded server is seen by its container: forwarding there would be a loop.
constexpr std::string_view kOwnAddress = "127.0.0.11";

// Datagrams looked at before other sockets get their turn; only a forger sends more than one.
constexpr int kDatagramsPerWakeUp = 64;

os::UniqueFd open_own_socket(int domain, int type) {
  return os::UniqueFd(os::check(::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                                [] { return std::string("open a socket for a DNS query"); }));
}

// Ids that nobody can guess, taken from the kernel some hundred at a time.
class RandomIds {
 public:
  std::uint16_t next() {
    if (at_ == ids_.size()) {
      const auto size = static_cast<ssize_t>(sizeof ids_);
      if (os::check(::getrandom(ids_.data(), sizeof ids_, 0),
                    [] { return std::string("getrandom"); }) != size) {
        throw os::Error("getrandom: too few bytes");
      }
      at_ = 0;
    }
    return ids_[at_++];
  }

 private:
  std::array<std::uint16_t, 128> ids_{};
  std::size_t at_ = ids_.size();
};

}  // namespace

struct DnsUpstream::Shared {
  Shared(asio::io_context& context, UpstreamConfig settings)
      : io(context),
        config(std::move(settings)),
        resolv_conf(config.resolv_conf, config.port),
        buffer(kDnsMaximumMessageSize) {}

  std::vector<DnsServerAddress> servers_of(const DnsResolvers* resolvers);

  asio::io_context& io;
  UpstreamConfig config;
  ResolvConf resolv_conf;
  RandomIds ids;
  /// One datagram at a time is received and passed on, so one buffer serves all.
  std::vector<std::uint8_t> buffer;
  std::unordered_set<Exchange*> exchanges;
};

std::vector<DnsServerAddress> DnsUpstream::Shared::servers_of(const DnsResolvers* resolvers) {
  std::vector<DnsServerAddress> servers;
  if (resolvers != nullptr) {
    for (const std::string& text : resolvers->servers) {
      if (text == kOwnAddress || servers.size() == kMaximumDnsServers) continue;
      if (const auto server = parse_dns_server(text, config.port)) servers.push_back(*server);
    }
  }
  return servers.empty() ? resolv_conf.servers() : servers;
}

// One query on its way: over UDP to one resolver after the other, over TCP to the one whose reply
// was truncated. Whatever it waits for keeps it alive; `attempt_` and `socket_number_` tell a
// handler that was already on its way when its resolver or socket was given up.
class DnsUpstream::Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Shared& shared, DnsBytes query, std::shared_ptr<const DnsResolvers> resolvers,
           Completion completion)
      : shared_(shared),
        query_(query.begin(), query.end()),
        id_(dns_id(query)),
        resolvers_(std::move(resolvers)),
        completion_(std::move(completion)),
        socket_(shared.io),
        timer_(shared.io) {
    shared_.exchanges.insert(this);
  }

  /// Asks the first resolver.
  void start();
  /// Ends without a reply.
  void refuse() { finish({}); }
  /// Ends without completing.
  void cancel();

 private:
  using Handler = void (Exchange::*)();

  /// Asks the next resolver, or ends with the best reply there was.
  void ask_next();
  bool open_socket(int type);
  void close_socket();
  bool send_datagram();
  void start_timer();
  void wait(asio::posix::descriptor_base::wait_type what, Handler handler);
  void on_datagram();
  void take_reply(DnsBytes reply, const DnsReplySummary& summary);
  void start_tcp();
  void on_connected();
  void on_stream();
  void release();
  void finish(std::vector<std::uint8_t> reply);
  void complete(std::vector<std::uint8_t>& reply);

  Shared& shared_;
  std::vector<std::uint8_t> query_;
  std::uint16_t id_;
  std::shared_ptr<const DnsResolvers> resolvers_;
  std::vector<DnsServerAddress> servers_;
  Completion completion_;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer timer_;
  std::size_t asked_ = 0;
  unsigned attempt_ = 0;
  unsigned socket_number_ = 0;
  /// The last SERVFAIL or REFUSED: what is passed on when no resolver does better.
  std::vector<std::uint8_t> failure_;
  /// What came over UDP while the rest is fetched over TCP.
  std::vector<std::uint8_t> truncated_;
  /// The reply over TCP as far as it has come, behind its length.
  std::vector<std::uint8_t> stream_;
};

void DnsUpstream::Exchange::start() {
  servers_ = shared_.servers_of(resolvers_.get());
  ask_next();
}

void DnsUpstream::Exchange::ask_next() {
  ++attempt_;
  close_socket();
  while (asked_ < servers_.size()) {
    ++asked_;
    if (send_datagram()) {
      start_timer();
      wait(asio::posix::descriptor_base::wait_read, &Exchange::on_datagram);
      return;
    }
  }
  finish(std::move(failure_));
}

// True when there is a socket connected, or about to be, to the resolver asked last. Connected, so
// that the kernel passes on only what comes from there, and its ICMP errors.
bool DnsUpstream::Exchange::open_socket(int type) {
  const DnsServerAddress& server = servers_[asked_ - 1];
  close_socket();
  os::UniqueFd fd;
  try {
    const bool own = resolvers_ == nullptr || !resolvers_->open_socket;
    fd = own ? open_own_socket(server.family(), type)
             : resolvers_->open_socket(server.family(), type);
  } catch (const os::Error&) {
    // No descriptor left, or no IPv6 here: as good as a resolver that does not answer.
    return false;
  }
  if (::connect(fd.get(), server.get(), server.size) != 0 && errno != EINPROGRESS) return false;
  ErrorCode error;
  socket_.assign(fd.get(), error);
  if (error) return false;
  static_cast<void>(fd.release());
  return true;
}

void DnsUpstream::Exchange::close_socket() {
  ++socket_number_;
  ErrorCode ignored;
  socket_.close(ignored);
}

bool DnsUpstream::Exchange::send_datagram() {
  set_dns_id(query_, shared_.ids.next());
  if (!open_socket(SOCK_DGRAM)) return false;
  const ssize_t sent =
      ::send(socket_.native_handle(), query_.data(), query_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(query_.size());
}

void DnsUpstream::Exchange::start_timer() {
  timer_.expires_after(shared_.config.timeout);
  timer_.async_wait([self = shared_from_this(), attempt = attempt_](ErrorCode error) {
    if (error || attempt != self->attempt_) return;
    if (self->truncated_.empty()) {
      self->ask_next();
    } else {
      self->finish(std::move(self->truncated_));
    }
  });
}

void DnsUpstream::Exchange::wait(asio::posix::descriptor_base::wait_type what, Handler handler) {
  socket_.async_wait(
      what, [self = shared_from_this(), number = socket_number_, handler](ErrorCode error) {
        if (!error && number == self->socket_number_) (self.get()->*handler)();
      });
}

void DnsUpstream::Exchange::on_datagram() {
  auto& buffer = shared_.buffer;
  for (int i = 0; i < kDatagramsPerWakeUp; ++i) {
    const ssize_t size =
        ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) return ask_next();
    const DnsBytes reply = DnsBytes(buffer).first(static_cast<std::size_t>(size));
    if (const auto summary = match_dns_reply(reply, query_)) return take_reply(reply, *summary);
  }
  wait(asio::posix::descriptor_base::wait_read, &Exchange::on_datagram);
}

void DnsUpstream::Exchange::take_reply(DnsBytes reply, const DnsReplySummary& summary) {
  std::vector<std::uint8_t> copy(reply.begin(), reply.end());
  if (summary.rcode == DnsRcode::servfail || summary.rcode == DnsRcode::refused) {
    failure_ = std::move(copy);
    ask_next();
  } else if (summary.truncated) {
    truncated_ = std::move(copy);
    start_tcp();
  } else {
    finish(std::move(copy));
  }
}

void DnsUpstream::Exchange::start_tcp() {
  if (!open_socket(SOCK_STREAM)) return finish(std::move(truncated_));
  wait(asio::posix::descriptor_base::wait_write, &Exchange::on_connected);
}

void DnsUpstream::Exchange::on_connected() {
  // One write: a query is small beside an empty send buffer. It fails when connect(2) has.
  std::vector<std::uint8_t> message{static_cast<std::uint8_t>(query_.size() >> 8),
                                    static_cast<std::uint8_t>(query_.size() & 0xff)};
  message.insert(message.end(), query_.begin(), query_.end());
  const ssize_t sent =
      ::send(socket_.native_handle(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(message.size())) return finish(std::move(truncated_));
  wait(asio::posix::descriptor_base::wait_read, &Exchange::on_stream);
}

void DnsUpstream::Exchange::on_stream() {
  auto& buffer = shared_.buffer;
  const ssize_t size = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
    return finish(std::move(truncated_));
  if (size > 0) stream_.insert(stream_.end(), buffer.begin(), buffer.begin() + size);
  constexpr std::size_t kPrefix = 2;
  if (stream_.size() >= kPrefix) {
    const std::size_t length = dns_id(stream_);
    if (stream_.size() - kPrefix >= length) {
      std::vector<std::uint8_t> reply(stream_.begin() + kPrefix,
                                      stream_.begin() + static_cast<ssize_t>(kPrefix + length));
      return finish(std::move(match_dns_reply(reply, query_) ? reply : truncated_));
    }
  }
  wait(asio::posix::descriptor_base::wait_read, &Exchange::on_stream);
}

void DnsUpstream::Exchange::release() {
  ++attempt_;
  close_socket();
  timer_.cancel();
}

// Posted, so that whoever called forward() is done with it before it hears of the end.
void DnsUpstream::Exchange::finish(std::vector<std::uint8_t> reply) {
  release();
  asio::post(shared_.io, [self = shared_from_this(), reply = std::move(reply)]() mutable {
    if (self->completion_) self->complete(reply);
  });
}

void DnsUpstream::Exchange::complete(std::vector<std::uint8_t>& reply) {
  shared_.exchanges.erase(this);
  if (!reply.empty()) set_dns_id(reply, id_);
  std::exchange(completion_, nullptr)(reply);
}

void DnsUpstream::Exchange::cancel() {
  release();
  completion_ = nullptr;
}

DnsUpstream::DnsUpstream(asio::io_context& io, UpstreamConfig config)
    : shared_(std::make_unique<Shared>(io, std::move(config))) {}

DnsUpstream::~DnsUpstream() {
  const auto exchanges = std::move(shared_->exchanges);
  shared_->exchanges.clear();
  for (Exchange* exchange : exchanges) exchange->cancel();
}

void DnsUpstream::forward(DnsBytes query, std::shared_ptr<const DnsResolvers> resolvers,
                          Completion completion) {
  const bool too_many = in_flight() >= shared_->config.max_in_flight;
  const auto exchange =
      std::make_shared<Exchange>(*shared_, query, std::move(resolvers), std::move(completion));
  if (too_many) {
    exchange->refuse();
  } else {
    exchange->start();
  }
}

std::size_t DnsUpstream::in_flight() const noexcept { return shared_->exchanges.size(); }

}  // namespace network
