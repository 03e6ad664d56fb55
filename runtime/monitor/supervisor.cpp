#include "runtime/monitor/supervisor.hpp"

#include <algorithm>

#include "runtime/os/error.hpp"
#include "runtime/os/process.hpp"

namespace monitor {

namespace {
constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kLongestPause{10'000};
}  // namespace

void SupervisorRevival::orphaned() {
  if (command_.empty() || pending_) return;
  pending_ = true;
  attempt(kFirstPause);
}

void SupervisorRevival::attempt(std::chrono::milliseconds pause) {
  if (is_supervised_()) {
    pending_ = false;
    return;
  }
  spawn();
  loop_.after(pause, [this, pause] { attempt(std::min(2 * pause, kLongestPause)); });
}

void SupervisorRevival::spawn() const {
  os::SpawnOptions options;
  options.executable = command_.front();
  options.arguments = command_;
  options.new_session = true;
  try {
    os::spawn(options).release();  // reaped with all other children
  } catch (const os::Error&) {
    // The command may be in the middle of an upgrade; the next attempt may find it.
  }
}

}  // namespace monitor
