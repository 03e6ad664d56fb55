// One TCP connection to the embedded DNS server (RFC 7766): queries one after the other, each
// answered when it is ready. Internal to the server; it includes Asio.
#pragma once

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "network/dns_message.hpp"
#include "runtime/os/fd.hpp"

namespace network {

struct DnsContext;
class DnsListener;

/// Closed by close(), by its client, by a malformed length, or after ten idle seconds. A client
/// that sends without reading is not read from until it does.
class DnsConnection : public std::enable_shared_from_this<DnsConnection> {
 public:
  /// `listener` owns it, and must outlive it or call close().
  DnsConnection(DnsContext& context, DnsListener& listener);

  void start(os::UniqueFd fd);
  /// Closes the socket without telling the listener.
  void close();

 private:
  void wait_readable();
  void on_readable();
  /// Answers the whole messages in the buffer. False when what it holds can be none.
  bool take_messages();
  void take_message(DnsBytes packet);
  void send(DnsBytes reply);
  void flush();
  void wait_writable();
  void wait_idle();
  void touch();
  bool has_room() const noexcept;
  bool has_message() const noexcept;
  /// Answers what it can, then reads on, or ends when the client has sent all and been sent all.
  void proceed();
  void end();

  static constexpr std::size_t kPrefixSize = 2;

  DnsContext& context_;
  DnsListener* listener_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer idle_;
  std::chrono::steady_clock::time_point deadline_;
  std::array<std::uint8_t, kPrefixSize + kDnsMaximumUdpSize> input_;
  std::size_t input_size_ = 0;
  std::vector<std::uint8_t> output_;
  std::size_t in_flight_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  bool client_done_ = false;
};

}  // namespace network
