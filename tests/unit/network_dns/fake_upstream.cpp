#include "tests/unit/network_dns/fake_upstream.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <utility>

#include "runtime/os/error.hpp"

namespace network::test {

os::UniqueFd bound_socket(int type, const std::string& address, std::uint16_t& port) {
  const auto what = [&] { return "bind to " + address; };
  os::UniqueFd fd(os::check(::socket(AF_INET, type | SOCK_CLOEXEC, 0), what));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &name.sin_addr);
  const int on = 1;
  if (type == SOCK_STREAM) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof name;
  os::check(::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), size), what);
  if (type == SOCK_STREAM) os::check(::listen(fd.get(), 64), what);
  os::check(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size), what);
  port = ntohs(name.sin_port);
  return fd;
}

FakeUpstream::FakeUpstream(const std::string& address, std::uint16_t port, Behaviour behaviour,
                           bool with_tcp)
    : behaviour_(std::move(behaviour)), port_(port), stop_(::eventfd(0, EFD_CLOEXEC)) {
  // Whether the TCP port of the same number is free is found out by trying.
  for (int attempts = 0;; ++attempts) {
    port_ = port;
    udp_ = bound_socket(SOCK_DGRAM, address, port_);
    if (!with_tcp) break;
    try {
      tcp_ = bound_socket(SOCK_STREAM, address, port_);
      break;
    } catch (const os::Error&) {
      if (port != 0 || attempts == 20) throw;
    }
  }
  thread_ = std::thread([this] { run(); });
}

FakeUpstream::~FakeUpstream() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_.get(), &one, sizeof one) == sizeof one);
  thread_.join();
}

void FakeUpstream::run() {
  while (true) {
    std::array<pollfd, 3> events{
        {{stop_.get(), POLLIN, 0}, {udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}}};
    ::poll(events.data(), events.size(), -1);
    if (events[0].revents != 0) return;
    if (events[1].revents != 0) serve_datagram();
    if (events[2].revents != 0) serve_stream();
  }
}

void FakeUpstream::serve_datagram() {
  Bytes buffer(kDnsMaximumMessageSize);
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  const ssize_t received = ::recvfrom(udp_.get(), buffer.data(), buffer.size(), 0,
                                      reinterpret_cast<sockaddr*>(&peer), &size);
  if (received < static_cast<ssize_t>(kDnsHeaderSize)) return;
  ++datagrams_;
  const auto reply = behaviour_(DnsBytes(buffer).first(static_cast<std::size_t>(received)), false);
  if (reply) {
    ::sendto(udp_.get(), reply->data(), reply->size(), 0, reinterpret_cast<sockaddr*>(&peer), size);
  }
}

void FakeUpstream::serve_stream() {
  const os::UniqueFd fd(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const timeval limit{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ++streams_;
  Bytes buffer(kDnsMaximumUdpSize);
  const ssize_t received = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
  if (received < static_cast<ssize_t>(kDnsHeaderSize + 2)) return;
  const auto query = DnsBytes(buffer).subspan(2, static_cast<std::size_t>(received) - 2);
  if (const auto reply = behaviour_(query, true)) {
    // In two parts, as a network may deliver it.
    const Bytes message = framed(*reply);
    ::send(fd.get(), message.data(), 1, MSG_NOSIGNAL);
    ::send(fd.get(), message.data() + 1, message.size() - 1, MSG_NOSIGNAL);
  }
}

}  // namespace network::test
