// Brings back a supervisor that is gone: while nobody subscribes to a monitor, it starts the given
// command, at once and then again and again with growing pauses.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/monitor/event_loop.hpp"

namespace monitor {

class SupervisorRevival {
 public:
  SupervisorRevival(EventLoop& loop, std::vector<std::string> command,
                    std::function<bool()> is_supervised)
      : loop_(loop), command_(std::move(command)), is_supervised_(std::move(is_supervised)) {}

  /// The last subscriber has gone.
  void orphaned();

 private:
  void attempt(std::chrono::milliseconds pause);
  void spawn() const;

  EventLoop& loop_;
  std::vector<std::string> command_;
  std::function<bool()> is_supervised_;
  bool pending_ = false;
};

}  // namespace monitor
