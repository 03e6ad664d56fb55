// The progress of a build as text: for a log line by line, for a terminal as a block that is drawn
// again and again.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/build/progress.hpp"

namespace build {

using TextSink = std::function<void(std::string_view)>;

/// `#5 [2/4] RUN make`, `#5 0.312 what it said`, `#5 DONE 3.1s`.
class PlainProgress : public Progress {
 public:
  using Clock = std::chrono::steady_clock;
  explicit PlainProgress(TextSink sink, std::function<Clock::time_point()> now = Clock::now)
      : sink_(std::move(sink)), now_(std::move(now)) {}

  std::size_t begin(const std::string& name) override;
  void line(std::size_t step, std::string_view text) override;
  void end(std::size_t step, End how) override;
  void note(const std::string& text) override;

 private:
  TextSink sink_;
  std::function<Clock::time_point()> now_;
  std::mutex mutex_;
  std::vector<Clock::time_point> begun_;
};

/// Says nothing but notes.
class QuietProgress : public Progress {
 public:
  std::size_t begin(const std::string&) override { return 0; }
  void line(std::size_t, std::string_view) override {}
  void end(std::size_t, End) override {}
  void note(const std::string&) override {}
};

/// Finished steps stay, running ones are below them with their last lines and their time.
class TerminalProgress : public Progress {
 public:
  using Clock = std::chrono::steady_clock;
  TerminalProgress(TextSink sink, int rows, int columns, bool colour);
  ~TerminalProgress() override;

  std::size_t begin(const std::string& name) override;
  void line(std::size_t step, std::string_view text) override;
  void end(std::size_t step, End how) override;
  void note(const std::string& text) override;

 private:
  struct Row {
    std::string name;
    Clock::time_point begun;
    std::vector<std::string> last;
    bool running = true;
  };
  void animate();
  std::string erase();
  std::string draw(Clock::time_point now);
  std::string fit(const std::string& text, int reserve) const;
  std::string finished_row(const Row& row, End how, Clock::time_point now) const;

  TextSink sink_;
  int rows_;
  int columns_;
  bool colour_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::vector<Row> items_;
  std::size_t drawn_ = 0;  ///< lines of the block on the screen
  std::thread thread_;
};

}  // namespace build
