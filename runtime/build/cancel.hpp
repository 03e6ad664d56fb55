// How a build is stopped from outside, and how one stage that fails stops the others.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>

#include "runtime/build/options.hpp"

namespace build {

class Cancel {
 public:
  bool requested() const noexcept { return requested_; }
  /// Throws Canceled once it was requested.
  void check() const {
    if (requested_) throw Canceled();
  }
  /// Runs what was registered, once; from any thread but not from a signal handler.
  void request() {
    const std::lock_guard lock(mutex_);
    if (requested_.exchange(true)) return;
    for (const auto& [id, stop] : stops_) stop();
  }

  /// Calls `stop` when the build is canceled while this lives.
  class OnRequest {
   public:
    OnRequest(Cancel& cancel, std::function<void()> stop) : cancel_(cancel) {
      const std::lock_guard lock(cancel.mutex_);
      id_ = cancel.next_++;
      if (cancel.requested_)
        stop();
      else
        cancel.stops_.emplace(id_, std::move(stop));
    }
    ~OnRequest() {
      const std::lock_guard lock(cancel_.mutex_);
      cancel_.stops_.erase(id_);
    }
    OnRequest(const OnRequest&) = delete;
    OnRequest& operator=(const OnRequest&) = delete;

   private:
    Cancel& cancel_;
    int id_ = 0;
  };

 private:
  std::atomic<bool> requested_{false};
  std::mutex mutex_;
  int next_ = 0;
  std::map<int, std::function<void()>> stops_;
};

}  // namespace build
