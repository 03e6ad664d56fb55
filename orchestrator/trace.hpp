// Where the time goes: spans per container and step, in the Chrome trace format (chrome://tracing,
// Perfetto), for `up --trace FILE`.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "orchestrator/record.hpp"

namespace orchestrator {

class Trace {
 public:
  using Clock = std::chrono::steady_clock;

  /// Collects from now on.
  void start();
  bool collecting() const { return collecting_; }
  /// A step of `container` that began at `begin` and ends now.
  void span(const std::string& container, const std::string& step, Clock::time_point begin);
  /// Writes what was collected to `path` and stops.
  void finish(const std::string& path);

 private:
  bool collecting_ = false;
  Clock::time_point origin_{};
  std::map<std::string, int> tracks_;
  Json events_ = Json::array();
};

}  // namespace orchestrator
