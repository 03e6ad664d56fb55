// The embedded DNS server over the loopback: `rate` queries a second, evenly spaced, for `seconds`;
// prints the latency of the replies and the server's CPU time. Arguments: RATE SECONDS.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "network/dns_server.hpp"
#include "runtime/os/error.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReplicas = 5;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return name;
}

os::UniqueFd udp_socket() {
  return os::UniqueFd(os::check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                                [] { return std::string("open a socket"); }));
}

std::vector<std::uint8_t> query_for_web() {
  return {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'w', 'e', 'b', 0, 0, 1, 0, 1};
}

/// Sends the queries and returns how long each reply took, those that came.
std::vector<Clock::duration> measure(int client, std::size_t rate, std::size_t count) {
  std::vector<Clock::time_point> sent(count);
  std::vector<Clock::duration> latencies;
  std::thread receiver([&] {
    std::vector<std::uint8_t> buffer(network::kDnsMaximumUdpSize);
    for (std::size_t i = 0; i < count; ++i) {
      if (::recv(client, buffer.data(), buffer.size(), 0) < 12) return;
      latencies.push_back(Clock::now() - sent[network::dns_id(buffer)]);
    }
  });
  auto query = query_for_web();
  const auto start = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    std::this_thread::sleep_until(start + std::chrono::nanoseconds(1'000'000'000) * i / rate);
    network::set_dns_id(query, static_cast<std::uint16_t>(i));
    sent[i] = Clock::now();
    ::send(client, query.data(), query.size(), 0);
  }
  receiver.join();
  return latencies;
}

double microseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

double thread_cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rate = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 5000;
  const std::size_t seconds = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2;
  // The id of a query is its number.
  const std::size_t count = std::min<std::size_t>(rate * seconds, 65536);
  if (rate == 0 || count == 0) return 2;

  boost::asio::io_context io;
  network::DnsServer server(io);
  for (std::size_t i = 0; i < kReplicas; ++i) {
    const std::string number = std::to_string(i + 2);
    server.zone().set("bench_default", number, {"web-" + number, {"web"}, {"172.18.0." + number}});
  }
  os::UniqueFd listening = udp_socket();
  auto name = loopback(0);
  socklen_t size = sizeof name;
  os::check(::bind(listening.get(), reinterpret_cast<sockaddr*>(&name), size),
            [] { return std::string("bind"); });
  ::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&name), &size);
  server.add("bench", std::move(listening), {}, {.view = {.networks = {"bench_default"}}});

  const os::UniqueFd client = udp_socket();
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  os::check(::connect(client.get(), reinterpret_cast<sockaddr*>(&name), size),
            [] { return std::string("connect"); });

  double cpu = 0;
  auto work = boost::asio::make_work_guard(io);
  std::thread loop([&] {
    io.run();
    cpu = thread_cpu_seconds();
  });
  auto latencies = measure(client.get(), rate, count);
  io.stop();
  loop.join();

  std::ranges::sort(latencies);
  if (latencies.empty()) return 1;
  const auto at = [&](double part) {
    const auto index = static_cast<std::size_t>(part * static_cast<double>(latencies.size()));
    return microseconds(latencies[std::min(index, latencies.size() - 1)]);
  };
  std::printf("%zu of %zu replies, p50 %.0f us, p99 %.0f us, max %.0f us, %.1f us CPU a query\n",
              latencies.size(), count, at(0.5), at(0.99), at(1.0),
              cpu * 1e6 / static_cast<double>(count));
  return latencies.size() == count ? 0 : 1;
}
