#include <poll.h>
#include <unistd.h>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/container_view.hpp"
#include "orchestrator/cli/interrupts.hpp"
#include "orchestrator/cli/monitor_client.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/table.hpp"
#include "orchestrator/cli/usage.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kPause = 1000;  // milliseconds between two looks

struct StatsFlags {
  std::vector<std::string> services;
  std::string format = "table";
  bool all = false;
  bool no_stream = false;
  bool no_trunc = false;
};

/// Nothing when it has ended meanwhile.
std::optional<Usage> look_at(const orchestrator::Paths& paths, const ContainerView& view) {
  if (!view.is_up()) return std::nullopt;
  try {
    MonitorClient monitor(paths, view.record);
    const nlohmann::json stats = monitor.ask({{"op", "stats"}}).data;
    const auto number = [&](const char* key) { return stats.value(key, std::uint64_t{0}); };
    Usage usage{.at = std::chrono::steady_clock::now(),
                .cpu = number("cpu_usage_usec"),
                .memory = number("memory_usage"),
                .memory_limit = number("memory_limit"),
                .read = number("io_read_bytes"),
                .written = number("io_write_bytes"),
                .processes = number("pids_current")};
    usage.memory -= std::min(usage.memory, number("memory_inactive_file"));
    if (view.monitor && view.monitor->init)
      add_interfaces(usage, os::read_file_if_exists(
                                "/proc/" + std::to_string(view.monitor->init->pid) + "/net/dev")
                                .value_or(""));
    return usage;
  } catch (const os::Error&) {
    return std::nullopt;
  }
}

class Stats {
 public:
  Stats(const Invocation& invocation, std::string project, const StatsFlags& flags)
      : invocation_(invocation), project_(std::move(project)), flags_(flags) {}

  /// Looks again; what it saw before is what CPU time is counted from.
  void look() {
    auto views = of_services(view_containers(invocation_.paths, project_), flags_.services);
    rows_.clear();
    for (const ContainerView& view : views) {
      const auto now = look_at(invocation_.paths, view);
      if (!now && !flags_.all) continue;
      rows_.push_back(row(view, now.value_or(Usage{})));
      if (now) before_[view.record.id] = *now;
    }
  }

  std::string text() const {
    Table table({"CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O",
                 "BLOCK I/O", "PIDS"});
    for (const Json& each : rows_)
      table.add({each["ID"], each["Name"], each["CPUPerc"], each["MemUsage"], each["MemPerc"],
                 each["NetIO"], each["BlockIO"], each["PIDs"]});
    return render_rows(flags_.format, table, rows_);
  }

 private:
  Json row(const ContainerView& view, const Usage& usage) const {
    const auto before = before_.find(view.record.id);
    const auto percent = [](double value) {
      char text[32];
      std::snprintf(text, sizeof text, "%.2f%%", value);
      return std::string(text);
    };
    const double share = usage.memory_limit == 0 ? 0
                                                 : 100 * static_cast<double>(usage.memory) /
                                                       static_cast<double>(usage.memory_limit);
    return {{"BlockIO", decimal_bytes(usage.read) + " / " + decimal_bytes(usage.written)},
            {"CPUPerc", percent(before == before_.end() ? 0 : cpu_percent(before->second, usage))},
            {"Container", view.record.name},
            {"ID", flags_.no_trunc ? view.record.id : view.record.short_id()},
            {"MemPerc", percent(share)},
            {"MemUsage",
             binary_bytes(usage.memory) + " / " +
                 (usage.memory_limit == 0 ? "unlimited" : binary_bytes(usage.memory_limit))},
            {"Name", view.record.name},
            {"NetIO", decimal_bytes(usage.received) + " / " + decimal_bytes(usage.sent)},
            {"PIDs", std::to_string(usage.processes)}};
  }

  const Invocation& invocation_;
  std::string project_;
  const StatsFlags& flags_;
  std::map<std::string, Usage> before_;  ///< by container id
  std::vector<Json> rows_;
};

}  // namespace

int stats(Invocation& invocation) {
  StatsFlags flags;
  CommandLine& line = invocation.line;
  line.flag("-a,--all", flags.all, "Containers that do not run, too");
  line.flag("--no-stream", flags.no_stream, "Look once");
  line.flag("--no-trunc", flags.no_trunc, "Do not shorten ids");
  line.option("--format", flags.format, "FORMAT", "table, json or TEMPLATE");
  line.arguments("[SERVICE...]", flags.services);
  line.example("stack stats", "what each container takes, again every second");
  line.example("stack stats --no-stream --format json web", "once, for programs");
  if (!line.parse()) return 0;
  require_root(invocation);
  const Project project = find_project(invocation, flags.services);
  Interrupts interrupts;
  Stats stats(invocation, project.name, flags);
  const bool redraw = invocation.style.colour_out && flags.format.starts_with("table");
  for (bool first = true;; first = false) {
    stats.look();
    // CPU time takes two looks to tell.
    if (!first || !flags.no_stream) write_out((redraw ? "\033[H\033[J" : "") + stats.text());
    if (!first && flags.no_stream) return 0;
    pollfd signals{interrupts.fd(), POLLIN, 0};
    ::poll(&signals, 1, kPause);
    if (interrupts.take()) return kInterrupted;
  }
}

}  // namespace cli
