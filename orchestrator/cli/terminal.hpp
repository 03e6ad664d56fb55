// Our own terminal, and bytes between it (or whatever standard input is) and a container.
#pragma once

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/cli/interrupts.hpp"
#include "runtime/os/fd.hpp"

namespace cli {

/// Every key goes through as it is typed, until this is destroyed (cfmakeraw(3)).
class RawTerminal {
 public:
  RawTerminal();
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

/// The size of the terminal on standard output; nothing when it is none.
std::optional<winsize> terminal_size();

/// Standard input into a descriptor, never faster than it takes it.
class InputPump {
 public:
  /// `far` is made non-blocking and stays the caller's.
  explicit InputPump(int far);

  /// What to poll for: standard input (POLLIN), or `far` (POLLOUT) while bytes wait for it.
  pollfd wake() const;
  /// Moves what can be moved. Returns false once when standard input has ended and all is written.
  bool move();

 private:
  int far_;
  std::string pending_;
  bool input_ended_ = false;
  bool broken_ = false;
  bool told_ = false;
};

}  // namespace cli
