// Why a service did not come up, as the chain of causes that the user is shown.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "orchestrator/container.hpp"
#include "orchestrator/protocol.hpp"

namespace orchestrator {

struct Failure : std::exception {
  std::string message;              ///< what failed
  std::vector<std::string> causes;  ///< because of what, each the cause of the one before
  std::string container;            ///< the culprit's name; empty when there is none
  std::string probe_output;         ///< of its last health check
  std::vector<std::string> log;     ///< its last lines

  explicit Failure(std::string what_failed) : message(std::move(what_failed)) {}
  const char* what() const noexcept override { return message.c_str(); }

  /// The culprit is `culprit`: its last probe and its last 20 log lines come along.
  static Failure of(const Container& culprit, const Paths& paths, std::string message);
  /// The same failure as the cause of `message`.
  Failure as_cause_of(std::string outer) const;
  protocol::Json event() const;
};

/// The operation was cancelled, for its client went away or another command took its place.
struct Cancelled : std::exception {
  const char* what() const noexcept override { return "cancelled"; }
};

}  // namespace orchestrator
