#include <charconv>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/follow.hpp"
#include "orchestrator/cli/log_stream.hpp"
#include "orchestrator/cli/project.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

struct LogsFlags {
  std::vector<std::string> services;
  std::string tail = "all";
  std::optional<std::string> since;
  std::optional<std::string> until;
  int index = 0;
  bool follow = false;
  bool timestamps = false;
  bool no_color = false;
  bool no_log_prefix = false;
};

std::optional<std::size_t> parse_tail(const std::string& text) {
  if (text == "all" || text == "-1") return std::nullopt;
  std::size_t lines = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lines);
  if (error != std::errc() || end != text.data() + text.size())
    throw UsageError("invalid --tail value \"" + text + "\": use a number or all");
  return lines;
}

std::optional<Time> parse_moment(const std::optional<std::string>& text, const char* flag) {
  if (!text || text->empty()) return std::nullopt;
  const auto time = parse_time(*text, std::chrono::system_clock::now());
  if (!time)
    throw UsageError(std::string("invalid ") + flag + " value \"" + *text +
                     "\": use a time (2026-01-31T09:30:00Z), seconds since 1970, or how long ago "
                     "(42m)");
  return time;
}

void declare(CommandLine& line, LogsFlags& flags) {
  line.flag("-f,--follow", flags.follow, "Go on as more is written");
  line.option("-n,--tail", flags.tail, "LINES", "Only the last lines of each container");
  line.flag("-t,--timestamps", flags.timestamps, "Times before the lines");
  line.option("--since", flags.since, "TIME", "Only what was written at or after");
  line.option("--until", flags.until, "TIME", "Only what was written before");
  line.option("--index", flags.index, "N", "Only this container of the service");
  line.flag("--no-color", flags.no_color, "No colours");
  line.flag("--no-log-prefix", flags.no_log_prefix, "No names before the lines");
  line.arguments("[SERVICE...]", flags.services);
  line.example("stack logs -f", "follow everything");
  line.example("stack logs -n 50 web", "the last 50 lines of web");
  line.example("stack logs --since 10m -t db", "what db wrote in ten minutes, with times");
}

}  // namespace

int logs(Invocation& invocation) {
  LogsFlags flags;
  declare(invocation.line, flags);
  if (!invocation.line.parse()) return 0;
  if (flags.index > 0 && flags.services.size() != 1)
    throw UsageError("--index requires one service to be selected");
  const container::LogReaderOptions options{.tail = parse_tail(flags.tail),
                                            .since = parse_moment(flags.since, "--since"),
                                            .until = parse_moment(flags.until, "--until")};
  require_root(invocation);
  const Project project = find_project(invocation, flags.services);
  const auto wanted = [&](const orchestrator::ContainerRecord& record) {
    return !record.oneoff && (flags.index == 0 || record.number == flags.index) &&
           (flags.services.empty() || std::find(flags.services.begin(), flags.services.end(),
                                                record.service) != flags.services.end());
  };
  LogStream stream(invocation.paths, {.prefix = !flags.no_log_prefix,
                                      .timestamps = flags.timestamps,
                                      .colour = invocation.style.colour_out && !flags.no_color});
  JournalReader journal(invocation.paths, project.name, JournalReader::Begin::at_end);
  for (const auto& record : orchestrator::read_records(invocation.paths, project.name))
    if (wanted(record)) stream.add(record, options, flags.follow);
  stream.print();
  if (!flags.follow) {
    for (const std::string& id : stream.ids()) stream.end_of(id);
    return 0;
  }
  Follower follower(invocation.paths, project.name, journal, stream, wanted);
  return follower.run();
}

}  // namespace cli
