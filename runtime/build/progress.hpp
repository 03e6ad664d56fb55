// What a build shows while it goes on. Steps report here from several threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace build {

/// Takes what happens. Each call may come from any thread.
class Progress {
 public:
  virtual ~Progress() = default;
  /// A step begins; the number stands for it from now on. `name` reads "[stage 2/4] RUN make".
  virtual std::size_t begin(const std::string& name) = 0;
  /// What the step's program wrote, whole lines without their ends.
  virtual void line(std::size_t step, std::string_view text) = 0;
  enum class End { done, cached, failed, canceled };
  virtual void end(std::size_t step, End how) = 0;
  /// Something to know that belongs to no step.
  virtual void note(const std::string& text) = 0;
};

}  // namespace build
