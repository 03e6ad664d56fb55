#include "orchestrator/failure.hpp"

#include "orchestrator/translate.hpp"
#include "runtime/container/log_reader.hpp"
#include "runtime/os/error.hpp"

namespace orchestrator {

namespace {

std::vector<std::string> last_lines(const std::string& path) {
  constexpr std::size_t kLines = 20;
  std::vector<std::string> lines;
  try {
    container::LogReader reader(path, {.tail = kLines});
    bool unfinished = false;
    while (const auto entry = reader.next()) {
      if (unfinished)
        lines.back() += entry->text;
      else
        lines.emplace_back(entry->text);
      unfinished = entry->partial;
    }
  } catch (const os::Error&) {
    // No log is no reason to hide the failure that it would explain.
  }
  if (lines.size() > kLines) lines.erase(lines.begin(), lines.end() - kLines);
  return lines;
}

}  // namespace

Failure Failure::of(const Container& culprit, const Paths& paths, std::string message) {
  Failure failure(std::move(message));
  failure.container = culprit.name();
  if (const auto& outcome = culprit.record().outcome;
      outcome && outcome->oom_killed && !culprit.active())
    failure.causes.emplace_back("it needed more memory than its limit, and the kernel killed it");
  if (!culprit.status().probes.empty())
    failure.probe_output = culprit.status().probes.back().output;
  failure.log = last_lines(ContainerLayout(paths, culprit.record().short_id()).log);
  return failure;
}

Failure Failure::as_cause_of(std::string outer) const {
  Failure failure = *this;
  failure.causes.insert(failure.causes.begin(), message);
  failure.message = std::move(outer);
  return failure;
}

protocol::Json Failure::event() const {
  return {{"event", "error"},       {"message", message},           {"causes", causes},
          {"container", container}, {"probe_output", probe_output}, {"log", log}};
}

}  // namespace orchestrator
