// The event journal of a project: a line of JSON per thing that happened to a container, kept for
// as long as the stack runs. `events` and a foreground `up` read it as a file.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "orchestrator/record.hpp"

namespace orchestrator {

class Journal {
 public:
  /// Appends to `path`, which is made when missing.
  explicit Journal(std::string path) : path_(std::move(path)) {}

  /// Notes that `action` ("start", "die", "health_status: healthy" …) happened to the container.
  void note(const ContainerRecord& container, const std::string& action,
            const std::map<std::string, std::string>& attributes = {});
  /// Is told of every entry as it is noted.
  void on_entry(std::function<void(const Json&)> listener) { listener_ = std::move(listener); }

 private:
  std::string path_;
  std::function<void(const Json&)> listener_;
};

}  // namespace orchestrator
