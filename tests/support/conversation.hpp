// Connections that are never let go: the same bytes back on each, again and again, on a thread of
// its own. What breaks one of them is seen.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/os/fd.hpp"

namespace support {

class Conversation {
 public:
  /// Opens `connections` to HOST, numbers only, where `probe parrot` answers.
  Conversation(const std::string& host, int port, int connections);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  /// How often every connection has had its bytes back.
  std::uint64_t rounds() const { return rounds_; }
  /// What ended the talk; empty while all connections live.
  std::string broken() const;
  /// Waits until every connection has had its bytes back twice more: those sent from now on.
  bool goes_on() const;

 private:
  void talk();
  bool exchange(int socket, std::uint64_t round);

  std::vector<os::UniqueFd> sockets_;
  std::atomic<std::uint64_t> rounds_{0};
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::string broken_;
  std::thread thread_;
};

}  // namespace support
