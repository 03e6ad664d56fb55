// Load: bytes through connections, questions to the name server.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "tests/support/probe/probe.hpp"

namespace probe {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBlock = 128 * 1024;

sockaddr_in address_of(const std::string& host, long port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, host.c_str(), &name.sin_addr);
  return name;
}

// Takes what comes and throws it away, one connection after the other.
int sink(const Arguments& arguments) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const sockaddr_in name = address_of("0.0.0.0", number(arguments, 0, 5001));
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(listener, 16) != 0)
    return failed("listen");
  std::vector<char> block(kBlock);
  for (int peer = 0; (peer = ::accept(listener, nullptr, nullptr)) >= 0; ::close(peer)) {
    while (::read(peer, block.data(), block.size()) > 0) {
    }
  }
  return failed("accept");
}

// HOST PORT [SECONDS]: prints megabits a second.
int blast(const Arguments& arguments) {
  const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in name = address_of(argument(arguments, 0), number(arguments, 1, 5001));
  if (::connect(peer, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    return failed("connect");
  const std::vector<char> block(kBlock, 'x');
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::seconds(number(arguments, 2, 2));
  double bytes = 0;
  while (Clock::now() < end) {
    const ssize_t written = ::write(peer, block.data(), block.size());
    if (written < 0) return failed("write");
    bytes += static_cast<double>(written);
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  std::printf("%.0f\n", bytes * 8 / 1e6 / took.count());
  return 0;
}

// PORT: on every connection, as many as there are, what comes goes back.
int parrot(const Arguments& arguments) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const sockaddr_in name = address_of("0.0.0.0", number(arguments, 0, 7));
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(listener, 128) != 0)
    return failed("listen");
  std::puts("ready");
  std::vector<pollfd> open{{.fd = listener, .events = POLLIN, .revents = 0}};
  std::vector<char> block(kBlock);
  while (::poll(open.data(), open.size(), -1) > 0) {
    for (std::size_t i = open.size(); i-- > 1;) {
      if (open[i].revents == 0) continue;
      const ssize_t size = ::read(open[i].fd, block.data(), block.size());
      ssize_t sent = 0;
      for (ssize_t written = 1; sent < size && written > 0; sent += written)
        written = ::send(open[i].fd, block.data() + sent, static_cast<std::size_t>(size - sent),
                         MSG_NOSIGNAL);
      if (size > 0 && sent == size) continue;
      ::close(open[i].fd);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (open[0].revents != 0)
      if (const int peer = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC); peer >= 0)
        open.push_back({.fd = peer, .events = POLLIN, .revents = 0});
  }
  return failed("poll");
}

// HOST PORT [CONNECTIONS]: what `parrot` there gives back, without end; "talked N" now and then. A
// connection that breaks ends it.
int talk(const Arguments& arguments) {
  const sockaddr_in name = address_of(argument(arguments, 0), number(arguments, 1, 7));
  std::vector<int> peers;
  for (long i = 0; i < number(arguments, 2, 4); ++i) {
    peers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(peers.back(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
      return failed("connect");
  }
  std::array<char, 1024> block{};
  for (long round = 1;; ++round) {
    for (const int peer : peers) {
      if (::send(peer, block.data(), block.size(), MSG_NOSIGNAL) < 0) return failed("send");
      if (::recv(peer, block.data(), block.size(), MSG_WAITALL) <= 0) return failed("receive");
    }
    if (round % 20 == 0) std::printf("talked %ld\n", round);
    ::poll(nullptr, 0, 1);
  }
}

std::vector<std::uint8_t> question(const std::string& name) {
  std::vector<std::uint8_t> query{0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  query.push_back(static_cast<std::uint8_t>(name.size()));
  query.insert(query.end(), name.begin(), name.end());
  for (const std::uint8_t byte : {0, 0, 1, 0, 1}) query.push_back(byte);
  return query;
}

// NAME [RATE [SECONDS]]: questions at 127.0.0.11, evenly spaced; prints how many were answered of
// how many, and the median and 99th percentile in microseconds.
int ask(const Arguments& arguments) {
  const long rate = number(arguments, 1, 5000);
  const auto count = static_cast<std::size_t>(rate * number(arguments, 2, 2));
  const int server = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_in name = address_of("127.0.0.11", 53);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    return failed("connect");
  std::vector<std::uint8_t> query = question(argument(arguments, 0));
  std::vector<Clock::time_point> sent(65536);
  std::vector<double> latencies;
  std::array<std::uint8_t, 1500> reply{};
  const auto begin = Clock::now();
  const auto take_replies = [&](int timeout_ms) {
    pollfd waiting{.fd = server, .events = POLLIN, .revents = 0};
    while (::poll(&waiting, 1, timeout_ms) > 0) {
      if (::recv(server, reply.data(), reply.size(), 0) < 12) return;
      const std::chrono::duration<double, std::micro> took =
          Clock::now() - sent[static_cast<std::size_t>(reply[0] << 8 | reply[1])];
      latencies.push_back(took.count());
      timeout_ms = 0;
    }
  };
  for (std::size_t i = 0; i < count; ++i) {
    const auto due = begin + std::chrono::nanoseconds(1'000'000'000) * i / rate;
    while (Clock::now() < due) take_replies(0);
    query[0] = static_cast<std::uint8_t>(i >> 8);
    query[1] = static_cast<std::uint8_t>(i);
    sent[i & 0xffff] = Clock::now();
    if (::send(server, query.data(), query.size(), 0) < 0) return failed("send");
  }
  for (int tries = 0; tries < 10 && latencies.size() < count; ++tries) take_replies(100);
  if (latencies.empty()) return 1;
  std::sort(latencies.begin(), latencies.end());
  std::printf("%zu/%zu %.0f %.0f\n", latencies.size(), count, latencies[latencies.size() / 2],
              latencies[latencies.size() * 99 / 100]);
  return 0;
}

}  // namespace

const std::vector<Verb>& load_verbs() {
  static const std::vector<Verb> verbs = {
      {"sink", "PORT   take and throw away", sink},
      {"blast", "HOST PORT [SECONDS]", blast},
      {"parrot", "PORT   what comes goes back", parrot},
      {"talk", "HOST PORT [CONNECTIONS]   with a parrot", talk},
      {"ask", "NAME [RATE [SECONDS]]", ask},
  };
  return verbs;
}

}  // namespace probe
