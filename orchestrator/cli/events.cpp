#include <poll.h>

#include <algorithm>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/interrupts.hpp"
#include "orchestrator/cli/journal_reader.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/time_text.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

using Json = JournalReader::Json;

struct EventsFlags {
  std::vector<std::string> services;
  std::optional<std::string> since;
  std::optional<std::string> until;
  bool json = false;
};

std::string text_of(const Json& entry) {
  std::string attributes;
  const Json all = entry.value("attributes", Json::object());
  for (const auto& [name, value] : all.items())
    attributes += (attributes.empty() ? "" : ", ") + name + "=" + value.get<std::string>();
  // 2026-01-02T15:04:05.123456789Z → 2026-01-02 15:04:05.123456
  std::string time = entry.value("time", "");
  if (time.size() > 26) time.resize(26);
  if (time.size() > 10) time[10] = ' ';
  return time + " container " + entry.value("action", "") + " " + entry.value("id", "") + " (" +
         attributes + ")\n";
}

std::string json_of(const Json& entry) {
  const Json line = {{"action", entry.value("action", "")},
                     {"attributes", entry.value("attributes", Json::object())},
                     {"id", entry.value("id", "")},
                     {"service", entry.value("service", "")},
                     {"time", entry.value("time", "")},
                     {"type", "container"}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<Time> parse_moment(const std::optional<std::string>& text, const char* flag,
                                 Time now) {
  if (!text) return std::nullopt;
  const auto time = parse_time(*text, now);
  if (!time) throw UsageError(std::string("invalid ") + flag + " value \"" + *text + "\"");
  return time;
}

}  // namespace

int events(Invocation& invocation) {
  EventsFlags flags;
  CommandLine& line = invocation.line;
  line.flag("--json", flags.json, "An object a line");
  line.option("--since", flags.since, "TIME", "Begin with what happened then");
  line.option("--until", flags.until, "TIME", "End there");
  line.arguments("[SERVICE...]", flags.services);
  line.example("stack events", "follow what happens");
  line.example("stack events --json --since 10m --until 0s", "the last ten minutes, for programs");
  if (!line.parse()) return 0;
  const Time now = std::chrono::system_clock::now();
  const auto since = parse_moment(flags.since, "--since", now);
  const auto until = parse_moment(flags.until, "--until", now);
  require_root(invocation);
  const Project project = find_project(invocation, flags.services);
  invocation.paths.make();
  Interrupts interrupts;
  JournalReader journal(invocation.paths, project.name,
                        since ? JournalReader::Begin::at_start : JournalReader::Begin::at_end);
  for (;;) {
    std::string text;
    for (const Json& entry : journal.take()) {
      const Time time = time_of(entry.value("time", ""));
      const bool named =
          flags.services.empty() || std::find(flags.services.begin(), flags.services.end(),
                                              entry.value("service", "")) != flags.services.end();
      if (entry.value("oneoff", false) || !named || (since && time < *since) ||
          (until && time >= *until))
        continue;
      text += flags.json ? json_of(entry) : text_of(entry);
    }
    write_out(text);
    int timeout = -1;
    if (until) {
      const auto left = *until - std::chrono::system_clock::now();
      if (left.count() <= 0) return 0;
      constexpr std::int64_t kHour = 3600 * 1000;
      timeout = static_cast<int>(std::min<std::int64_t>(left.count() / 1'000'000 + 1, kHour));
    }
    std::array<pollfd, 2> fds{{{interrupts.fd(), POLLIN, 0}, {journal.wake(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), timeout);
    if (interrupts.take()) return kInterrupted;
  }
}

}  // namespace cli
