#include "orchestrator/cli/request.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>

#include "orchestrator/cli/console.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

using orchestrator::protocol::Json;

Progress make_progress(const Style& style) {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
    size = {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  return Progress(style.progress, style.colour_err, size.ws_row, size.ws_col);
}

/// Waits for the connection, a signal, or the time.
struct Wakening {
  bool connection = false;
  bool signal = false;
};
Wakening wait(int connection, int signals, int timeout) {
  std::array<pollfd, 2> fds{{{connection, POLLIN, 0}, {signals, POLLIN, 0}}};
  const int count = ::poll(fds.data(), fds.size(), timeout);
  if (count < 0 && errno != EINTR) throw os::Error(errno, "wait for the supervisor");
  if (count <= 0) return {};
  return {fds[0].revents != 0, fds[1].revents != 0};
}

}  // namespace

EventPrinter::EventPrinter(const Style& style) : progress_(make_progress(style)) {}

void EventPrinter::print(const Json& event) {
  const std::string kind = event.value("event", "");
  if (kind == "progress") {
    write_err(progress_.take(event, Progress::Clock::now()));
  } else if (kind == "warning") {
    write_err(progress_.erase());
    print_warning(event.value("message", ""));
  } else if (kind == "error") {
    write_err(progress_.finish(Progress::Clock::now()));
    std::string text = failure_text(event);
    text.pop_back();
    print_error(text);
  }
}

int EventPrinter::timeout() const { return progress_.animated() ? 100 : -1; }

void EventPrinter::tick() {
  hidden_ = false;
  write_err(progress_.redraw(Progress::Clock::now()));
}

void EventPrinter::finish() {
  hidden_ = false;
  write_err(progress_.finish(Progress::Clock::now()));
}

void EventPrinter::hide() {
  const std::string text = progress_.erase();
  hidden_ = hidden_ || !text.empty();
  write_err(text);
}

void EventPrinter::show() {
  if (hidden_) tick();
}

namespace {

constexpr int kTries = 50;

Connection open_and_send(const Invocation& invocation, const std::string& project,
                         const std::string& operation, const Json& arguments) {
  for (int tries = 0; tries < kTries; ++tries) {
    Connection connection = Connection::open(invocation.paths, project);
    if (connection.send(operation, arguments)) return connection;
    ::poll(nullptr, 0, 100);  // it was just ending
  }
  throw os::Error("the supervisor of project \"" + project + "\" takes no requests");
}

}  // namespace

Request::Request(const Invocation& invocation, std::string project, std::string operation,
                 Json arguments)
    : Request(invocation, std::move(project), std::move(operation), std::move(arguments),
              std::make_shared<EventPrinter>(invocation.style)) {}

Request::Request(const Invocation& invocation, std::string project, std::string operation,
                 Json arguments, std::shared_ptr<EventPrinter> printer)
    : invocation_(invocation),
      project_(std::move(project)),
      operation_(std::move(operation)),
      arguments_(std::move(arguments)),
      connection_(open_and_send(invocation, project_, operation_, arguments_)),
      printer_(std::move(printer)) {}

std::optional<Json> Request::take() {
  while (auto event = connection_.next()) {
    heard_ = true;
    const std::string kind = event->value("event", "");
    if (kind != "progress" && kind != "warning" && kind != "error") return event;
    printer_->print(*event);
  }
  return std::nullopt;
}

void Request::receive() {
  if (connection_.receive() || connection_.has_event()) return;
  if (heard_ || ++tries_ > kTries) {
    printer_->finish();
    throw os::Error(
        "the supervisor ended before the work was done; `stack ps` shows what is there");
  }
  ::poll(nullptr, 0, 100);
  connection_ = open_and_send(invocation_, project_, operation_, arguments_);
}

std::optional<Json> Request::next(Interrupts& interrupts) {
  for (;;) {
    if (auto event = take()) {
      if (event->value("event", "") != "created") printer_->finish();
      return event;
    }
    const Wakening woken = wait(connection_.fd(), interrupts.fd(), printer_->timeout());
    if (woken.signal && interrupts.take()) {
      printer_->finish();
      return std::nullopt;
    }
    if (woken.connection)
      receive();
    else
      printer_->tick();
  }
}

int perform(const Invocation& invocation, const std::string& project, const std::string& operation,
            const Json& arguments) {
  Interrupts interrupts;
  Request request(invocation, project, operation, arguments);
  while (const auto event = request.next(interrupts))
    if (event->value("event", "") == "done") return event->value("exit_code", 1);
  return kInterrupted;
}

}  // namespace cli
