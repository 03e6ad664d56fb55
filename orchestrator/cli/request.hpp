// One request to the supervisor from its start to its end: progress, warnings and errors are shown
// as they come.
#pragma once

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

 private:
  Progress progress_;
};

/// A request under way.
class Request {
 public:
  using Json = orchestrator::protocol::Json;
  Request(const Invocation& invocation, std::string project, std::string operation, Json arguments);

  /// Shows progress, warnings and errors until another event comes, and returns that. Nothing when
  /// a signal came first; whoever drops the request then cancels it. Sends the request again when
  /// the supervisor was just ending. Throws os::Error when it ended halfway.
  std::optional<Json> next(Interrupts& interrupts);

  Connection& connection() { return connection_; }
  EventPrinter& printer() { return printer_; }

 private:
  const Invocation& invocation_;
  std::string project_;
  std::string operation_;
  Json arguments_;
  Connection connection_;
  EventPrinter printer_;
  bool heard_ = false;
  int tries_ = 0;
};

/// Sends the request and shows what comes. Returns the exit code of its `done`; 130 when it was
/// interrupted, which cancels it.
int perform(const Invocation& invocation, const std::string& project, const std::string& operation,
            const orchestrator::protocol::Json& arguments);

}  // namespace cli
