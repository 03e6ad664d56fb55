#include "orchestrator/cli/container_view.hpp"

#include <algorithm>
#include <map>

#include "runtime/os/error.hpp"
#include "runtime/os/process.hpp"

namespace cli {

namespace {

using orchestrator::ContainerRecord;
using orchestrator::Outcome;
using orchestrator::Paths;
using orchestrator::PublishedPort;

bool process_lives(const container::State& state) {
  if (state.boot_id != os::boot_id() || !state.init) return false;
  const auto process = os::Pidfd::open(*state.init);
  return process && !process->has_exited();
}

/// It was never there: creation or exec failed.
bool could_not_start(const Outcome& outcome) {
  return outcome.started_at.empty() && !outcome.error.empty() && outcome.exit_code >= 125 &&
         outcome.exit_code <= 127;
}

}  // namespace

ContainerView view_of(const Paths& paths, ContainerRecord record) {
  ContainerView view;
  const std::string id = record.short_id();
  if (auto status = orchestrator::read_status(paths, id)) {
    view.status = std::move(*status);
    view.state = view.status.state;
  } else {
    view.state = record.outcome ? "exited" : "created";
  }
  try {
    view.monitor = container::read_state(container::StatePaths(paths.container_run(id)));
  } catch (const os::Error&) {
    // Half written by a monitor of another version: the status has to do.
  }
  view.started_at = view.status.started_at;
  if (record.outcome) {
    view.exit_code = record.outcome->exit_code;
    view.finished_at = record.outcome->finished_at;
    if (view.started_at.empty()) view.started_at = record.outcome->started_at;
    if (view.state == "exited" && could_not_start(*record.outcome)) view.state = "created";
  }
  // What its monitor still knows is newer than the record, which may not have been written.
  if (view.state == "exited" && view.monitor && view.monitor->exit_code) {
    view.exit_code = *view.monitor->exit_code;
    view.finished_at = view.monitor->finished_at;
  }
  if (view.is_up()) view.exit_code = 0;
  if (view.is_up() && (!view.monitor || !process_lives(*view.monitor))) {
    // The supervisor has not noticed yet, or is gone too.
    view.state = "exited";
    view.settling = true;
    if (view.monitor && view.monitor->exit_code) {
      view.exit_code = *view.monitor->exit_code;
      view.finished_at = view.monitor->finished_at;
    } else {
      view.exit_code = 137;
    }
  }
  view.record = std::move(record);
  return view;
}

std::vector<ContainerView> view_containers(const Paths& paths, const std::string& project) {
  std::vector<ContainerView> views;
  for (ContainerRecord& record : orchestrator::read_records(paths, project))
    views.push_back(view_of(paths, std::move(record)));
  return views;
}

std::vector<ContainerView> of_services(std::vector<ContainerView> all,
                                       const std::vector<std::string>& services) {
  std::erase_if(all, [&](const ContainerView& view) {
    return view.record.oneoff ||
           (!services.empty() &&
            std::find(services.begin(), services.end(), view.record.service) == services.end());
  });
  return all;
}

ContainerView choose_replica(const Paths& paths, const std::string& project,
                             const std::string& service, int index) {
  std::vector<ContainerView> found = of_services(view_containers(paths, project), {service});
  std::erase_if(found, [&](const ContainerView& view) {
    return !view.is_up() || (index > 0 && view.record.number != index);
  });
  if (found.empty())
    throw os::Error("service \"" + service + "\" is not running" +
                    (index > 0 ? " container #" + std::to_string(index) : ""));
  return *std::min_element(found.begin(), found.end(),
                           [](const ContainerView& one, const ContainerView& other) {
                             return one.record.number < other.record.number;
                           });
}

std::string short_name(const ContainerRecord& record) {
  const std::string prefix = record.project + "-";
  return record.name.starts_with(prefix) ? record.name.substr(prefix.size()) : record.name;
}

std::string status_text(const ContainerView& view, Time now) {
  const std::string code = "(" + std::to_string(view.exit_code) + ") ";
  const auto since = [&](const std::string& time) { return duration_text(now - time_of(time)); };
  if (view.state == "running" || view.state == "paused") {
    std::string text = "Up " + since(view.started_at);
    if (view.state == "paused") return text + " (Paused)";
    if (view.status.health == "starting") return text + " (health: starting)";
    return view.status.health.empty() ? text : text + " (" + view.status.health + ")";
  }
  const std::string why = view.ran_out_of_memory() ? " (out of memory)" : "";
  if (view.state == "restarting")
    return "Restarting " + code + since(view.finished_at) + " ago" + why;
  if (view.state == "exited") return "Exited " + code + since(view.finished_at) + " ago" + why;
  return "Created";
}

namespace {

/// Consecutive published ports that lead to consecutive ports.
struct PortRange {
  PublishedPort first;
  int count = 1;

  bool takes(const PublishedPort& port) const {
    return port.host_ip == first.host_ip && port.protocol == first.protocol &&
           port.target == first.target + count && port.published == first.published + count;
  }
  static std::string span(int from, int count) {
    return std::to_string(from) + (count > 1 ? "-" + std::to_string(from + count - 1) : "");
  }
  std::string text() const {
    std::string host = first.host_ip.empty() ? "0.0.0.0" : first.host_ip;
    if (host.find(':') != std::string::npos && host.front() != '[') host = "[" + host + "]";
    return host + ":" + span(first.published, count) + "->" + span(first.target, count) + "/" +
           first.protocol;
  }
};

}  // namespace

std::string ports_text(const std::vector<PublishedPort>& published,
                       const std::set<std::string>& exposed) {
  std::vector<PublishedPort> sorted = published;
  std::sort(sorted.begin(), sorted.end(), [](const PublishedPort& a, const PublishedPort& b) {
    return std::tie(a.host_ip, a.protocol, a.target, a.published) <
           std::tie(b.host_ip, b.protocol, b.target, b.published);
  });
  std::vector<PortRange> ranges;
  std::set<std::string> open;
  for (const PublishedPort& port : sorted) {
    open.insert(std::to_string(port.target) + "/" + port.protocol);
    if (!ranges.empty() && ranges.back().takes(port))
      ++ranges.back().count;
    else
      ranges.push_back({.first = port});
  }
  std::string text;
  for (const PortRange& range : ranges) text += (text.empty() ? "" : ", ") + range.text();
  for (const std::string& port : exposed)
    if (!open.contains(port)) text += (text.empty() ? "" : ", ") + port;
  return text;
}

}  // namespace cli
