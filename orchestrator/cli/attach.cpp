#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/container_view.hpp"
#include "orchestrator/cli/log_lines.hpp"
#include "orchestrator/cli/monitor_client.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/terminal.hpp"
#include "orchestrator/translate.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

struct AttachFlags {
  std::vector<std::string> services;
  std::string detach_keys = "ctrl-p,ctrl-q";
  int index = 0;
  bool no_stdin = false;
  bool signals = true;
};

/// A container that runs, on our standard streams.
class Attachment {
 public:
  Attachment(const Invocation& invocation, const ContainerView& view, const AttachFlags& flags)
      : monitor_(invocation.paths, view.record),
        log_(orchestrator::ContainerLayout(invocation.paths, view.record.short_id()).log,
             {.since = std::chrono::system_clock::now()}) {
    log_.follow();
    const auto service = view.record.model.at("services").at(view.record.service);
    tty_ = service.value("tty", false);
    const bool input = !flags.no_stdin && (tty_ || service.value("stdin_open", false));
    monitor_.ask({{"op", "subscribe"}});
    if (tty_ || input) open_stream(input, flags);
  }

  /// Until it ends, or the keys to let go are typed. Returns its exit code, or 0.
  int run(Interrupts& interrupts, bool pass_signals) {
    for (;;) {
      std::array<pollfd, 5> fds{{{monitor_.fd(), POLLIN, 0},
                                 {interrupts.fd(), POLLIN, 0},
                                 {log_.wake(), POLLIN, 0},
                                 pump_ ? pump_->wake() : pollfd{-1, 0, 0},
                                 {output_open_ ? stream_.get() : -1, POLLIN, 0}}};
      ::poll(fds.data(), fds.size(), -1);
      while (const auto signal = interrupts.take()) {
        if (*signal == SIGWINCH)
          resize();
        else if (pass_signals)
          monitor_.send({{"op", "kill"}, {"signal", *signal}, {"all", false}});
        else
          return kInterrupted;
      }
      if (fds[2].revents != 0) print_log();
      if (fds[3].revents != 0) pump_->move();  // the end of our input is not the container's
      if (pump_ && pump_->detached()) return 0;
      if (fds[4].revents != 0) output_open_ = copy_to_out(stream_.get());
      if (fds[0].revents != 0)
        if (const auto code = take_event()) return *code;
    }
  }

 private:
  void open_stream(bool input, const AttachFlags& flags) {
    auto attached = monitor_.ask({{"op", "attach"}, {"ends_input", false}});
    if (attached.fds.empty()) throw os::Error("the container's monitor sent no stream");
    stream_ = std::move(attached.fds.front());
    os::set_nonblocking(stream_.get());
    output_open_ = tty_;
    const bool raw = tty_ && input && ::isatty(STDIN_FILENO) == 1;
    if (input) pump_.emplace(stream_.get(), raw ? DetachKeys(flags.detach_keys) : DetachKeys());
    if (!raw) return;
    raw_.emplace();
    resize();
  }

  void resize() {
    const auto size = terminal_size();
    if (!size || !tty_) return;
    // A program that drew its screen before we came draws it again when the size changes.
    for (const unsigned rows : {size->ws_row + 1U, unsigned{size->ws_row}})
      monitor_.send({{"op", "resize"}, {"rows", rows}, {"cols", size->ws_col}});
  }

  /// The log is the output of a container without terminal.
  void print_log() {
    log_.drain();
    while (const auto entry = log_.next()) {
      if (tty_) continue;
      std::string text(entry->text);
      if (!entry->partial) text += '\n';
      if (entry->stream == container::LogStream::out)
        write_out(text);
      else
        write_err(text);
    }
  }

  std::optional<int> take_event() {
    const auto event = monitor_.receive();
    if (event && event->name != "exited") return std::nullopt;
    if (output_open_) output_open_ = copy_to_out(stream_.get());
    print_log();
    return event ? event->data.value("code", 0) : 128 + SIGKILL;
  }

  MonitorClient monitor_;
  container::LogReader log_;
  bool tty_ = false;
  os::UniqueFd stream_;  ///< its standard input, and its terminal's output
  std::optional<InputPump> pump_;
  std::optional<RawTerminal> raw_;
  bool output_open_ = false;
};

}  // namespace

int attach(Invocation& invocation) {
  AttachFlags flags;
  CommandLine& line = invocation.line;
  line.option("--index", flags.index, "N", "Which container of the service");
  line.flag("--no-stdin", flags.no_stdin, "Show what it says, send it nothing");
  line.option("--detach-keys", flags.detach_keys, "KEYS", "Let go of a terminal; ctrl-p,ctrl-q");
  line.flag("--sig-proxy", flags.signals, "Send it the signals that we get (the default)");
  line.arguments("SERVICE", flags.services, 1, 1);
  line.example("stack attach web", "its standard streams; Ctrl-C is sent to it");
  line.example("stack attach --sig-proxy=false web", "look on; Ctrl-C only ends the looking");
  if (!line.parse()) return 0;
  DetachKeys{flags.detach_keys};
  require_root(invocation);
  const std::string& service = flags.services.front();
  const Project project = find_project(invocation, {service});
  const ContainerView view = choose_replica(invocation.paths, project.name, service, flags.index);
  Interrupts interrupts({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH});
  return Attachment(invocation, view, flags).run(interrupts, flags.signals);
}

}  // namespace cli
