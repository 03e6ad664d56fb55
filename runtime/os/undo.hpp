// Do with its undo: what was made is taken back in reverse order unless the whole work is
// committed.
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace os {

/// Runs what was added in reverse order when it goes, unless commit() was called. A step that
/// throws does not keep the earlier ones from running.
class Undo {
 public:
  Undo() = default;
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() { run(); }

  /// To be called right after the step that it takes back.
  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
  /// The work stands: nothing is taken back.
  void commit() noexcept { steps_.clear(); }
  /// Takes everything back now.
  void run() noexcept;

 private:
  std::vector<std::function<void()>> steps_;
};

}  // namespace os
