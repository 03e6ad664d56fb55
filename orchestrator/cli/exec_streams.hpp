// The standard streams of a program that exec starts without a terminal: ours as they are, but
// never our terminal itself. A descriptor of it would let a privileged program type into it
// (TIOCSTI).
#pragma once

#include <poll.h>

#include <array>
#include <optional>
#include <vector>

#include "orchestrator/cli/terminal.hpp"
#include "runtime/os/fd.hpp"

namespace cli {

class ExecStreams {
 public:
  /// `interactive`: standard input is passed on; otherwise it is empty.
  explicit ExecStreams(bool interactive);

  /// What the program gets as standard input, output and error.
  std::vector<int> descriptors() const;
  /// The program has them: our copies of its ends go.
  void hand_over();

  /// What to poll for.
  std::array<pollfd, 3> wake() const;
  /// Moves what can be moved between our terminal and the program without waiting.
  void move();

 private:
  void copy_output(int stream);

  os::UniqueFd null_;
  std::array<os::UniqueFd, 3> theirs_;  ///< ends of pipes; empty where ours is passed on
  std::array<os::UniqueFd, 3> ours_;
  std::optional<InputPump> input_;
  bool interactive_;
};

}  // namespace cli
