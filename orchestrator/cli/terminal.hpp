// Our own terminal, and bytes between it (or whatever standard input is) and a container.
#pragma once

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
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

/// Keys that let a container go instead of being sent to it, as Docker writes them:
/// "ctrl-p,ctrl-q", a letter, `ctrl-` and one of a-z @ [ \ ] ^ _. Pure.
class DetachKeys {
 public:
  DetachKeys() = default;  ///< none
  /// Throws UsageError for what is no key.
  explicit DetachKeys(const std::string& text);

  /// What of `typed` goes through; the beginning of the keys waits for the rest of them.
  std::string pass(std::string_view typed);
  /// All of them were typed, one after the other.
  bool complete() const { return !keys_.empty() && matched_ == keys_.size(); }

 private:
  std::string keys_;
  std::size_t matched_ = 0;
};

/// Standard input into a descriptor, never faster than it takes it.
class InputPump {
 public:
  /// `far` is made non-blocking and stays the caller's.
  explicit InputPump(int far, DetachKeys detach_keys = {});

  /// What to poll for: standard input (POLLIN), or `far` (POLLOUT) while bytes wait for it.
  pollfd wake() const;
  /// Moves what can be moved. Returns false once when standard input has ended and all is written.
  bool move();
  /// The keys to let go were typed: nothing goes through any more.
  bool detached() const { return detach_keys_.complete(); }

 private:
  int far_;
  DetachKeys detach_keys_;
  std::string pending_;
  bool input_ended_ = false;
  bool broken_ = false;
  bool told_ = false;
};

}  // namespace cli
