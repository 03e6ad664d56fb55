#include "orchestrator/trace.hpp"

#include "runtime/os/file.hpp"

namespace orchestrator {

void Trace::start() {
  collecting_ = true;
  origin_ = Clock::now();
  tracks_.clear();
  events_ = Json::array();
}

void Trace::span(const std::string& container, const std::string& step, Clock::time_point begin) {
  if (!collecting_) return;
  const auto microseconds = [](Clock::duration duration) {
    return std::chrono::duration<double, std::micro>(duration).count();
  };
  const auto [track, added] = tracks_.try_emplace(container, static_cast<int>(tracks_.size()) + 1);
  if (added)
    events_.push_back({{"name", "thread_name"},
                       {"ph", "M"},
                       {"ts", 0},
                       {"pid", 1},
                       {"tid", track->second},
                       {"args", {{"name", container}}}});
  events_.push_back({{"name", step},
                     {"ph", "X"},
                     {"pid", 1},
                     {"tid", track->second},
                     {"ts", microseconds(begin - origin_)},
                     {"dur", microseconds(Clock::now() - begin)}});
}

void Trace::finish(const std::string& path) {
  if (!collecting_) return;
  collecting_ = false;
  os::write_file_atomic(path, Json{{"traceEvents", std::move(events_)}}.dump() + "\n", 0644);
  events_ = Json::array();
}

}  // namespace orchestrator
