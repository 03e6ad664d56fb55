// Signals as something to poll: while this lives they no longer end the program.
#pragma once

#include <signal.h>

#include <initializer_list>
#include <optional>

#include "runtime/os/fd.hpp"

namespace cli {

/// Blocks the signals and offers them through a descriptor (signalfd(2)); one at a time.
class Interrupts {
 public:
  explicit Interrupts(std::initializer_list<int> signals = {SIGINT, SIGTERM});
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  int fd() const noexcept { return fd_.get(); }
  /// The next signal that came, without waiting.
  std::optional<int> take();

 private:
  sigset_t before_{};
  os::UniqueFd fd_;
};

/// The exit code of a command that was interrupted.
inline constexpr int kInterrupted = 130;

}  // namespace cli
