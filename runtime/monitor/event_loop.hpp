// One thread that waits for many descriptors and deadlines (epoll(7)).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "runtime/os/fd.hpp"

namespace monitor {

class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  /// Gets the EPOLL… bits that are ready. May add and remove anything, itself too.
  using Handler = std::function<void(std::uint32_t)>;
  using TimerId = std::uint64_t;

  EventLoop();

  /// Watches `fd`, which stays the caller's; it must be removed before it is closed.
  void add(int fd, std::uint32_t events, Handler handler);
  void modify(int fd, std::uint32_t events);
  /// Content when it is not watched.
  void remove(int fd);

  /// Runs `action` once after `delay`.
  TimerId after(std::chrono::milliseconds delay, std::function<void()> action);
  /// Content when it has run already.
  void cancel(TimerId timer);

  /// Serves until stop().
  void run();
  void stop() noexcept { running_ = false; }

 private:
  struct Watch {
    std::uint64_t token;
    std::shared_ptr<Handler> handler;
  };
  struct Timer {
    TimerId id;
    std::function<void()> action;
  };
  int milliseconds_to_next() const;
  void run_due_timers();
  void control(int operation, int fd, std::uint32_t events, std::uint64_t token);

  os::UniqueFd epoll_;
  bool running_ = true;
  std::uint64_t next_token_ = 1;
  // A token is never used twice: an event of a descriptor that was closed and opened again since
  // finds nobody.
  std::unordered_map<int, Watch> watches_;
  std::unordered_map<std::uint64_t, int> by_token_;
  std::multimap<Clock::time_point, Timer> timers_;
};

}  // namespace monitor
