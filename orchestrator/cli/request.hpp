// One request to the supervisor from its start to its end: progress, warnings and errors are shown
// as they come.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "orchestrator/cli/connection.hpp"
#include "orchestrator/cli/interrupts.hpp"
#include "orchestrator/cli/invocation.hpp"
#include "orchestrator/cli/progress.hpp"

namespace cli {

/// Shows the events that every request may bring, on standard error.
class EventPrinter {
 public:
  explicit EventPrinter(const Style& style);
  /// Prints the event if it is progress, a warning or an error.
  void print(const orchestrator::protocol::Json& event);
  /// Milliseconds until tick() wants to be called; -1: not at all.
  int timeout() const;
  void tick();
  void finish();
  /// Takes a block off the screen, so that something else can be written; show() brings it back.
  void hide();
  void show();

 private:
  Progress progress_;
  bool hidden_ = false;
};

/// A request under way.
class Request {
 public:
  using Json = orchestrator::protocol::Json;
  Request(const Invocation& invocation, std::string project, std::string operation, Json arguments);
  /// Shows its events through `printer`, which others may use too.
  Request(const Invocation& invocation, std::string project, std::string operation, Json arguments,
          std::shared_ptr<EventPrinter> printer);

  /// Shows progress, warnings and errors until another event comes, and returns that. Nothing when
  /// a signal came first; whoever drops the request then cancels it. Sends the request again when
  /// the supervisor was just ending. Throws os::Error when it ended halfway.
  std::optional<Json> next(Interrupts& interrupts);

  /// The same in two steps, for who waits for other things as well: take() shows what receive() has
  /// read, up to the first event that is not just for show, and returns that.
  std::optional<Json> take();
  void receive();

  Connection& connection() { return connection_; }
  EventPrinter& printer() { return *printer_; }
  std::shared_ptr<EventPrinter> shared_printer() const { return printer_; }

 private:
  const Invocation& invocation_;
  std::string project_;
  std::string operation_;
  Json arguments_;
  Connection connection_;
  std::shared_ptr<EventPrinter> printer_;
  bool heard_ = false;
  int tries_ = 0;
};

/// Sends the request and shows what comes. Returns the exit code of its `done`; 130 when it was
/// interrupted, which cancels it.
int perform(const Invocation& invocation, const std::string& project, const std::string& operation,
            const orchestrator::protocol::Json& arguments);

}  // namespace cli
