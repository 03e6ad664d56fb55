#include "orchestrator/cli/attached_run.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/log_lines.hpp"
#include "orchestrator/cli/monitor_client.hpp"
#include "orchestrator/cli/request.hpp"
#include "orchestrator/cli/terminal.hpp"
#include "orchestrator/translate.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

using orchestrator::protocol::Json;

/// The container that runs, and what connects us with it.
class AttachedRun {
 public:
  AttachedRun(const Invocation& invocation, const std::string& short_id, bool tty, bool interactive)
      : tty_(tty), log_(orchestrator::ContainerLayout(invocation.paths, short_id).log) {
    if (auto socket = MonitorClient::connect(invocation.paths, short_id))
      monitor_.emplace(std::move(*socket));
    if (tty || interactive) attach();
    if (tty && stream_) {
      raw_.emplace();
      resize();
    }
  }

  /// Until the supervisor tells how it ended.
  int run(Request& request, Interrupts& interrupts) {
    print_log();
    int looks = 0;
    for (;;) {
      if (const auto code = take_events(request)) return finish(request, *code);
      std::array<pollfd, 6> fds{{{request.connection().fd(), POLLIN, 0},
                                 {interrupts.fd(), POLLIN, 0},
                                 {log_.wake(), POLLIN, 0},
                                 pump_ ? pump_->wake() : pollfd{-1, 0, 0},
                                 {output_open_ ? stream_.get() : -1, POLLIN, 0},
                                 {monitor_ ? monitor_->fd() : -1, POLLIN, 0}}};
      const bool follows = looks >= kLooksBeforeWatch;
      if (::poll(fds.data(), fds.size(), follows ? -1 : kPauseBetweenLooks) == 0) {
        if (++looks == kLooksBeforeWatch) log_.follow();
        print_log();
      }
      while (const auto signal = interrupts.take()) pass_on(*signal);
      if (fds[2].revents != 0) print_log();
      if (fds[3].revents != 0) pump_input();
      if (fds[4].revents != 0) output_open_ = copy_to_out(stream_.get());
      if (fds[5].revents != 0 && !monitor_->receive()) monitor_.reset();
      if (fds[0].revents != 0 && !request.connection().receive() &&
          !request.connection().has_event())
        throw os::Error("the supervisor ended while the container ran; `stack ps -a` shows it");
    }
  }

 private:
  // Who closes a watch of files waits for a grace period of the kernel, 15 ms: more than many
  // programs run. The log is looked at a few times before it is watched.
  static constexpr int kLooksBeforeWatch = 20;
  static constexpr int kPauseBetweenLooks = 5;  // milliseconds

  void attach() {
    if (!monitor_) return;
    try {
      MonitorClient::Event attached = monitor_->ask({{"op", "attach"}});
      if (attached.fds.empty()) return;
      // By the monitor's clock, which the log has: nothing comes twice or not at all.
      begin_ = Time(std::chrono::nanoseconds(attached.data.value("at", std::int64_t{0})));
      stream_ = std::move(attached.fds.front());
      os::set_nonblocking(stream_.get());
      pump_.emplace(stream_.get());
      output_open_ = true;
    } catch (const os::Error&) {
      // It has ended already; its log tells what it said.
    }
  }

  void resize() {
    const auto size = terminal_size();
    if (!size || !monitor_) return;
    // A program that drew its screen before we were there draws it again when the size changes.
    for (const unsigned rows : {size->ws_row + 1U, unsigned{size->ws_row}})
      send({{"op", "resize"}, {"rows", rows}, {"cols", size->ws_col}});
  }

  void send(const MonitorClient::Json& operation) {
    if (!monitor_) return;
    try {
      monitor_->send(operation);
    } catch (const os::Error&) {
      monitor_.reset();
    }
  }

  void pass_on(int signal) {
    if (signal == SIGWINCH)
      resize();
    else
      send({{"op", "kill"}, {"signal", signal}, {"all", false}});
  }

  void pump_input() {
    if (!pump_->move()) ::shutdown(stream_.get(), SHUT_WR);
  }

  /// The log is the output of a container without terminal; with one, it holds what was written
  /// before we were attached.
  void print_log() {
    log_.drain();
    std::string out;
    std::string err;
    while (const auto entry = log_.next()) {
      if (tty_ && stream_ && entry->time >= begin_) continue;
      std::string& target = entry->stream == container::LogStream::out ? out : err;
      target += entry->text;
      if (!entry->partial) target += '\n';
      if (out.size() + err.size() > 64 * 1024) {
        write_out(std::exchange(out, {}));
        write_err(std::exchange(err, {}));
      }
    }
    write_out(out);
    write_err(err);
  }

  std::optional<int> take_events(Request& request) {
    while (const auto event = request.connection().next()) {
      const std::string kind = event->value("event", "");
      if (kind == "exited" || kind == "done") return event->value("exit_code", 1);
      request.printer().print(*event);
    }
    return std::nullopt;
  }

  /// Reads the output to its end, then lets the supervisor go on with what it has to clear away.
  int finish(Request& request, int code) {
    if (output_open_) output_open_ = copy_to_out(stream_.get());
    print_log();
    raw_.reset();
    request.connection().leave();
    pollfd open{request.connection().fd(), POLLIN, 0};
    while (request.connection().receive()) ::poll(&open, 1, -1);
    return code;
  }

  bool tty_;
  container::LogReader log_;
  std::optional<MonitorClient> monitor_;
  os::UniqueFd stream_;  ///< the container's standard input, and its terminal's output
  std::optional<InputPump> pump_;
  std::optional<RawTerminal> raw_;
  bool output_open_ = false;
  Time begin_;  ///< what is older was written before we were attached
};

/// The container's short and full id; a code when it was not started.
struct StartedRun {
  std::string id;
  std::string short_id;
  int code = 0;
};

StartedRun wait_for_start(Request& request, Interrupts& interrupts) {
  while (const auto event = request.next(interrupts)) {
    const std::string kind = event->value("event", "");
    if (kind == "started") return {event->value("id", ""), event->value("short_id", ""), 0};
    if (kind == "done") return {.code = event->value("exit_code", 1)};
  }
  return {.code = kInterrupted};
}

}  // namespace

int run_detached(const Invocation& invocation, const std::string& project,
                 const orchestrator::protocol::Run& request) {
  Interrupts interrupts;
  Request sent(invocation, project, "run", request);
  const StartedRun started = wait_for_start(sent, interrupts);
  if (!started.id.empty()) write_out(started.id + "\n");
  return started.code;
}

int run_attached(const Invocation& invocation, const std::string& project,
                 const orchestrator::protocol::Run& request) {
  Interrupts interrupts;
  Request sent(invocation, project, "run", request);
  const StartedRun started = wait_for_start(sent, interrupts);
  if (started.id.empty()) return started.code;
  Interrupts signals({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH});
  AttachedRun run(invocation, started.short_id, request.tty, request.interactive);
  return run.run(sent, signals);
}

}  // namespace cli
