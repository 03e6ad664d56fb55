// What the supervisor does, as it does it: a line per step, or on a terminal a block that is drawn
// again and again in its place. Pure: events and times go in, text comes out.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "orchestrator/cli/globals.hpp"
#include "orchestrator/protocol.hpp"

namespace cli {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  /// `rows` and `columns` of the terminal; the block never outgrows them.
  Progress(ProgressStyle style, bool colour, int rows = 24, int columns = 80)
      : style_(style), colour_(colour), rows_(rows), columns_(columns) {}

  /// Takes a "progress" event; returns what is to be written for it.
  std::string take(const orchestrator::protocol::Json& event, Clock::time_point now);
  /// The block anew, with its clocks and spinners moved; empty unless there is one.
  std::string redraw(Clock::time_point now);
  /// Takes the block off the screen, so that something else can be written; redraw() brings it
  /// back.
  std::string erase();
  /// The block for the last time; what follows is written below it.
  std::string finish(Clock::time_point now);
  /// Whether redraw() has something to move.
  bool animated() const;

 private:
  struct Row {
    std::string kind;
    std::string name;
    std::string status;
    bool final = false;
    Clock::time_point begin;
    Clock::time_point end;
  };
  Row& row_of(const std::string& kind, const std::string& name, Clock::time_point now);
  std::string draw(Clock::time_point now);
  std::string draw_row(const Row& row, Clock::time_point now) const;

  ProgressStyle style_;
  bool colour_;
  int rows_;
  int columns_;
  std::vector<Row> items_;
  std::size_t drawn_ = 0;  ///< lines of the block on the screen
  unsigned frame_ = 0;
};

}  // namespace cli
