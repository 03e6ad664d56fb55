// The standard streams of a running container: output into the log, input from whoever attached.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/container/log_file.hpp"
#include "runtime/monitor/event_loop.hpp"
#include "runtime/monitor/launch.hpp"
#include "runtime/os/fd.hpp"

namespace monitor {

class Stdio {
 public:
  Stdio(EventLoop& loop, container::LogWriter log) : loop_(loop), log_(std::move(log)) {}
  ~Stdio();
  Stdio(const Stdio&) = delete;
  Stdio& operator=(const Stdio&) = delete;

  /// Pipes for a container without a terminal; returns the ends that it gets. Without `input` its
  /// stdin is /dev/null.
  Streams make_pipes(bool input);
  /// The master of a container with a terminal.
  void use_terminal(os::UniqueFd master);
  /// Starts to read.
  void start();

  bool has_terminal() const noexcept { return static_cast<bool>(terminal_); }
  void resize(std::uint32_t rows, std::uint32_t columns);

  /// A stream socket for a client: what it writes becomes input, its end of writing the end of
  /// input if `ends_input`; for a terminal it gets the output too. A client that is too slow is
  /// dropped. Throws os::Error when the container has no input.
  os::UniqueFd attach(bool ends_input);

  /// The container has ended: takes what is still in the pipes and completes the log.
  void finish();

 private:
  struct Attachment {
    os::UniqueFd socket;
    std::string pending_output;
    bool ends_input = true;
    bool input_ended = false;
    bool broken = false;
  };
  using Attachments = std::list<Attachment>;

  void watch_output(os::UniqueFd& fd, container::LogStream stream);
  /// Reads once; false when there is nothing now or never again.
  bool pump(os::UniqueFd& fd, container::LogStream stream);
  void copy_to_attached(std::string_view data);
  void serve(Attachments::iterator attachment, std::uint32_t events);
  void read_input(Attachment& attachment);
  void write_input();
  void flush_output(Attachment& attachment);
  void update(Attachment& attachment);
  void detach(Attachments::iterator attachment);
  void end_input();
  int input() const noexcept { return terminal_ ? terminal_.get() : stdin_.get(); }

  EventLoop& loop_;
  container::LogWriter log_;
  os::UniqueFd stdin_;  ///< our end of the pipe
  os::UniqueFd stdout_;
  os::UniqueFd stderr_;
  os::UniqueFd terminal_;
  Attachments attachments_;
  std::string pending_input_;
  bool input_ends_ = false;  ///< after pending_input_
  bool waiting_for_input_space_ = false;
};

}  // namespace monitor
