// Runs a program as a test does: with a deadline, its output kept, on pipes, files or a terminal.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/os/fd.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace support {

using std::chrono::milliseconds;

/// How long a command may take before a test gives it up.
inline constexpr milliseconds kPatience{60'000};

/// What a command left when it ended.
struct Output {
  int code = -1;  ///< exit code, or 128 + signal
  std::string out;
  std::string err;
  bool timed_out = false;
};
/// For messages of failed expectations.
std::ostream& operator<<(std::ostream& stream, const Output& output);

struct CommandOptions {
  std::map<std::string, std::string> environment;  ///< all of it
  std::string working_directory = "/";
  std::optional<std::string> input;  ///< a file for standard input; /dev/null when absent
  bool open_input = false;           ///< standard input is a pipe, written with write_input()
  bool terminal = false;             ///< all three are one terminal; out() has what it shows
  milliseconds timeout = kPatience;
};

/// A program that runs; killed when the object goes.
class Command {
 public:
  /// `arguments[0]` is the absolute path of the program.
  Command(const std::vector<std::string>& arguments, const CommandOptions& options);

  pid_t pid() const { return child_.pid(); }
  void send_signal(int signal) { child_.pidfd().send_signal(signal); }
  /// All that it has written so far.
  std::string out();
  std::string err();
  void write_input(const std::string& text);
  void close_input() { input_.reset(); }
  /// Waits until standard output contains `text`.
  bool wait_for_output(const std::string& text, milliseconds timeout = kPatience);
  /// Waits for its end; past the deadline it is killed and the output says so.
  Output wait(milliseconds timeout);
  Output wait() { return wait(timeout_); }
  bool has_ended() const { return child_.pidfd().has_exited(); }

 private:
  void drain_terminal();
  milliseconds timeout_;
  os::TempDir files_;
  os::UniqueFd input_;
  os::UniqueFd terminal_;
  std::string terminal_output_;
  os::Child child_;
};

/// Runs a program to its end.
Output run(const std::vector<std::string>& arguments, const CommandOptions& options);

/// Asks again and again, every few milliseconds, until `condition` holds or the time is over.
bool wait_until(const std::function<bool()>& condition, milliseconds timeout = kPatience);

/// What `work` returns, run in a child process: its exit code, 101 when it throws, 102 when a
/// signal ends it. For what a process cannot undo: another user, a namespace, a filter.
int in_child(const std::function<int()>& work);

}  // namespace support
