// What a container takes of the machine, as `stats` shows it. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace cli {

/// Counters at one moment.
struct Usage {
  std::chrono::steady_clock::time_point at;
  std::uint64_t cpu = 0;           ///< microseconds, of all CPUs together
  std::uint64_t memory = 0;        ///< bytes, without page cache that nobody uses
  std::uint64_t memory_limit = 0;  ///< bytes; 0: none
  std::uint64_t received = 0;      ///< bytes, over all interfaces but loopback
  std::uint64_t sent = 0;          ///< bytes
  std::uint64_t read = 0;          ///< bytes, from disks
  std::uint64_t written = 0;       ///< bytes
  std::uint64_t processes = 0;
};

/// Per cent of one CPU between two moments: two busy CPUs are 200.
double cpu_percent(const Usage& before, const Usage& now);

/// Adds up the interfaces of a /proc/PID/net/dev (proc_pid_net(5)) but for loopback.
void add_interfaces(Usage& usage, std::string_view net_dev);

/// "1.5MiB": four digits, powers of 1024.
std::string binary_bytes(std::uint64_t bytes);
/// "1.57MB": three digits, powers of 1000, as Docker counts traffic.
std::string decimal_bytes(std::uint64_t bytes);

}  // namespace cli
