// `ls`, `port`, `top`: a look from outside.
#include <unistd.h>

#include <charconv>
#include <regex>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/container_view.hpp"
#include "orchestrator/cli/monitor_client.hpp"
#include "orchestrator/cli/processes.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/table.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

using Json = nlohmann::ordered_json;

struct ProjectLine {
  std::map<std::string, int> states;
  std::string files;
  bool active = false;
};

std::string states_text(const std::map<std::string, int>& states) {
  std::string text;
  for (const auto& [state, count] : states)
    text += (text.empty() ? "" : ", ") + state + "(" + std::to_string(count) + ")";
  return text;
}

std::map<std::string, ProjectLine> collect_projects(const orchestrator::Paths& paths) {
  std::map<std::string, ProjectLine> projects;
  for (const ContainerView& view : view_containers(paths)) {
    ProjectLine& line = projects[view.record.project];
    ++line.states[view.state];
    line.active = line.active || view.is_active();
    const auto files = view.record.labels.find("com.docker.compose.project.config_files");
    if (files != view.record.labels.end()) line.files = files->second;
  }
  return projects;
}

/// Keeps the projects whose name fits every `name=EXPRESSION`.
bool fits(const std::string& name, const std::vector<std::string>& filters) {
  for (const std::string& filter : filters) {
    if (!filter.starts_with("name=")) throw UsageError("unknown filter " + filter + ": use name=…");
    try {
      if (!std::regex_search(name, std::regex(filter.substr(5)))) return false;
    } catch (const std::regex_error&) {
      throw UsageError("--filter " + filter + ": this is no regular expression");
    }
  }
  return true;
}

}  // namespace

int ls(Invocation& invocation) {
  std::vector<std::string> filters;
  std::string format = "table";
  bool all = false;
  bool quiet = false;
  CommandLine& line = invocation.line;
  line.flag("-a,--all", all, "Stopped projects too");
  line.flag("-q,--quiet", quiet, "Only names");
  line.list("--filter", filters, "name=REGEX", "Only those whose name fits");
  line.option("--format", format, "FORMAT", "table or json");
  line.example("stack ls", "what runs on this machine");
  line.example("stack ls -a --format json", "all projects, for programs");
  if (!line.parse()) return 0;
  if (format != "table" && format != "json")
    throw UsageError("unsupported format \"" + format + "\": use table or json");
  require_root(invocation);
  Table table({"NAME", "STATUS", "CONFIG FILES"});
  Json list = Json::array();
  std::string names;
  for (const auto& [name, project] : collect_projects(invocation.paths)) {
    if ((!all && !project.active) || !fits(name, filters)) continue;
    const std::string states = states_text(project.states);
    table.add({name, states, project.files});
    list.push_back({{"Name", name}, {"Status", states}, {"ConfigFiles", project.files}});
    names += name + "\n";
  }
  write_out(quiet ? names : format == "json" ? list.dump() + "\n" : table.text());
  return 0;
}

namespace {

struct PortQuestion {
  int target = 0;
  std::string protocol;
};

PortQuestion parse_port_question(const std::string& text, const std::string& protocol) {
  const auto slash = text.find('/');
  PortQuestion question{.protocol = slash == std::string::npos ? protocol : text.substr(slash + 1)};
  const std::string digits = text.substr(0, slash);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), question.target);
  if (error != std::errc() || end != digits.data() + digits.size() || question.target < 1 ||
      question.target > 65535)
    throw UsageError("invalid port \"" + text + "\": use a number from 1 to 65535");
  return question;
}

}  // namespace

int port(Invocation& invocation) {
  std::vector<std::string> words;
  std::string protocol = "tcp";
  int index = 0;
  CommandLine& line = invocation.line;
  line.option("--protocol", protocol, "PROTOCOL", "tcp or udp");
  line.option("--index", index, "N", "Which container of the service");
  line.arguments("SERVICE PORT", words, 2, 2);
  line.example("stack port web 80", "0.0.0.0:32768");
  line.example("stack port --protocol udp dns 53", "the same for UDP");
  if (!line.parse()) return 0;
  const PortQuestion question = parse_port_question(words[1], protocol);
  require_root(invocation);
  const Project project = find_project(invocation, {words[0]});
  const ContainerView view = choose_replica(invocation.paths, project.name, words[0], index);
  std::string others;
  for (const orchestrator::PublishedPort& port : view.status.ports) {
    const std::string host = port.host_ip.empty() ? "0.0.0.0" : port.host_ip;
    const bool v6 = host.find(':') != std::string::npos;
    const std::string address =
        (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port.published);
    if (port.target == question.target && port.protocol == question.protocol) {
      write_out(address + "\n");
      return 0;
    }
    others += (others.empty() ? ": " : ", ") + std::to_string(port.target) + "/" + port.protocol;
  }
  throw os::Error("no port " + std::to_string(question.target) + "/" + question.protocol +
                  " for container " + view.record.name + others);
}

int top(Invocation& invocation) {
  std::vector<std::string> services;
  CommandLine& line = invocation.line;
  line.arguments("[SERVICE...]", services);
  line.example("stack top", "the processes of everything");
  line.example("stack top web", "of one service");
  if (!line.parse()) return 0;
  require_root(invocation);
  const Project project = find_project(invocation, services);
  Table table({"SERVICE", "#", "UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"});
  bool any = false;
  for (const ContainerView& view :
       of_services(view_containers(invocation.paths, project.name), services)) {
    if (!view.is_up()) continue;
    MonitorClient monitor(invocation.paths, view.record);
    const auto answer = monitor.ask({{"op", "processes"}});
    for (const auto& pid : answer.data.at("pids")) {
      const auto process = read_process(pid.get<pid_t>());
      if (!process) continue;  // it ended meanwhile
      any = true;
      table.add({view.record.service, std::to_string(view.record.number), process->user,
                 std::to_string(process->pid), std::to_string(process->parent),
                 std::to_string(process->cpu_share), process->started, process->terminal,
                 process->cpu_time, process->command});
    }
  }
  if (any) write_out(table.text());
  return 0;
}

}  // namespace cli
