#include <algorithm>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/container_view.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/table.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/store.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

using orchestrator::ContainerRecord;
using Json = nlohmann::ordered_json;

struct PsFlags {
  std::vector<std::string> services;
  std::vector<std::string> statuses;
  std::vector<std::string> filters;
  std::string format = "table";
  bool all = false;
  bool quiet = false;
  bool names_of_services = false;
  bool no_trunc = false;
  bool orphans = true;
};

/// What a container is shown with besides its own status.
class Describer {
 public:
  explicit Describer(const orchestrator::Paths& paths) : images_(paths.images()) {}

  Json object(const ContainerView& view, Time now) {
    const ContainerRecord& record = view.record;
    return {{"Command", command(view)},
            {"CreatedAt", utc_text(time_of(record.created_at))},
            {"ExitCode", view.exit_code},
            {"Health", view.is_up() ? view.status.health : ""},
            {"ID", record.id},
            {"Image", record.image},
            {"Labels", labels(record)},
            {"LocalVolumes", std::to_string(record.volumes.size())},
            {"Mounts", mounts(record)},
            {"Name", record.name},
            {"Names", record.name},
            {"Networks", networks(view)},
            {"Ports", ports(view)},
            {"Project", record.project},
            {"Publishers", publishers(view)},
            {"RunningFor", duration_text(now - time_of(record.created_at)) + " ago"},
            {"Service", record.service},
            {"Size", "0B"},
            {"State", view.state},
            {"Status", status_text(view, now)}};
  }

 private:
  const image::ImageConfig* config_of(const ContainerRecord& record) {
    auto found = configs_.find(record.image_id);
    if (found == configs_.end()) {
      std::optional<image::ImageConfig> config;
      try {
        if (auto image = images_.find(record.image_id)) config = std::move(image->config);
      } catch (const os::Error&) {
        // Without its image a container is shown with what its service says.
      }
      found = configs_.emplace(record.image_id, std::move(config)).first;
    }
    return found->second ? &*found->second : nullptr;
  }

  static const Json& service(const ContainerRecord& record) {
    static const Json nothing = Json::object();
    const auto services = record.model.find("services");
    if (services == record.model.end()) return nothing;
    const auto found = services->find(record.service);
    return found == services->end() ? nothing : *found;
  }

  std::string command(const ContainerView& view) {
    const Json& model = service(view.record);
    const image::ImageConfig* config = config_of(view.record);
    std::vector<std::string> words;
    const auto take = [&](const char* key) {
      const auto given = model.find(key);
      if (given == model.end() || !given->is_array()) return false;
      for (const Json& word : *given) words.push_back(word.get<std::string>());
      return true;
    };
    const bool own_entrypoint = take("entrypoint");
    if (!own_entrypoint && config != nullptr) words = config->entrypoint;
    if (!take("command") && !own_entrypoint && config != nullptr)
      words.insert(words.end(), config->cmd.begin(), config->cmd.end());
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
  }

  std::string ports(const ContainerView& view) {
    std::set<std::string> exposed;
    if (view.is_up()) {
      if (const image::ImageConfig* config = config_of(view.record))
        exposed = config->exposed_ports;
      for (const Json& port : service(view.record).value("expose", Json::array())) {
        std::string text = port.is_string() ? port.get<std::string>() : port.dump();
        exposed.insert(text.find('/') == std::string::npos ? text + "/tcp" : text);
      }
    }
    return ports_text(view.status.ports, exposed);
  }

  static std::string labels(const ContainerRecord& record) {
    std::string text;
    for (const auto& [key, value] : record.labels)
      text += (text.empty() ? "" : ",") + key + "=" + value;
    return text;
  }

  static std::string mounts(const ContainerRecord& record) {
    std::string text;
    for (const orchestrator::VolumeUse& use : record.volumes)
      text += (text.empty() ? "" : ",") + use.name;
    return text;
  }

  static std::string networks(const ContainerView& view) {
    std::string text;
    for (const orchestrator::NetworkAddress& address : view.status.networks)
      text += (text.empty() ? "" : ",") + address.network;
    return text;
  }

  static Json publishers(const ContainerView& view) {
    Json list = Json::array();
    for (const orchestrator::PublishedPort& port : view.status.ports)
      list.push_back({{"URL", port.host_ip.empty() ? "0.0.0.0" : port.host_ip},
                      {"TargetPort", port.target},
                      {"PublishedPort", port.published},
                      {"Protocol", port.protocol}});
    return list;
  }

  image::Store images_;
  std::map<std::string, std::optional<image::ImageConfig>> configs_;
};

void declare(CommandLine& line, PsFlags& flags) {
  line.flag("-a,--all", flags.all, "Stopped containers and one-offs too");
  line.flag("-q,--quiet", flags.quiet, "Only ids");
  line.flag("--services", flags.names_of_services, "Only the names of services");
  line.list("--status", flags.statuses, "STATE",
            "Only those that are created, running, paused, restarting or exited");
  line.list("--filter", flags.filters, "status=STATE", "The same");
  line.option("--format", flags.format, "FORMAT",
              "table, json, 'table TEMPLATE' or TEMPLATE ({{.Name}} {{.State}} …)");
  line.flag("--no-trunc", flags.no_trunc, "Do not shorten commands");
  line.flag("--orphans", flags.orphans, "");
  line.arguments("[SERVICE...]", flags.services);
  line.example("stack ps", "what runs");
  line.example("stack ps -a --format json", "all of it, an object a line");
  line.example("stack ps --format '{{.Service}} {{.Status}}'", "just what is needed");
}

void check_statuses(PsFlags& flags) {
  for (const std::string& filter : flags.filters) {
    const auto equals = filter.find('=');
    if (filter.substr(0, equals) != "status" || equals == std::string::npos)
      throw UsageError("unknown filter " + filter.substr(0, equals) + ": use status=STATE");
    flags.statuses.push_back(filter.substr(equals + 1));
  }
  static const std::set<std::string> known{"created", "running",  "paused", "restarting",
                                           "exited",  "removing", "dead"};
  for (const std::string& status : flags.statuses)
    if (!known.contains(status))
      throw UsageError("unknown status \"" + status +
                       "\": use created, running, paused, restarting or exited");
}

std::vector<ContainerView> chosen(const Invocation& invocation, const Project& project,
                                  const PsFlags& flags) {
  auto views = view_containers(invocation.paths, project.name);
  std::erase_if(views, [&](const ContainerView& view) {
    const auto in = [](const std::vector<std::string>& list, const std::string& item) {
      return std::find(list.begin(), list.end(), item) != list.end();
    };
    if (!flags.services.empty() && !in(flags.services, view.record.service)) return true;
    if (!flags.statuses.empty()) return !in(flags.statuses, view.state);
    if (flags.all) return false;
    return view.record.oneoff || !view.is_active();
  });
  return views;
}

}  // namespace

int ps(Invocation& invocation) {
  PsFlags flags;
  declare(invocation.line, flags);
  if (!invocation.line.parse()) return 0;
  check_statuses(flags);
  require_root(invocation);
  const Project project = find_project(invocation, flags.services);
  const auto views = chosen(invocation, project, flags);
  std::string text;
  if (flags.quiet) {
    for (const ContainerView& view : views) text += view.record.id + "\n";
    write_out(text);
    return 0;
  }
  if (flags.names_of_services) {
    std::set<std::string> names;
    for (const ContainerView& view : views) names.insert(view.record.service);
    for (const std::string& name : names) text += name + "\n";
    write_out(text);
    return 0;
  }
  const Time now = std::chrono::system_clock::now();
  Describer describer(invocation.paths);
  Table table({"NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"});
  std::vector<Json> objects;
  for (const ContainerView& view : views) {
    Json object = describer.object(view, now);
    const std::string command = object["Command"].get<std::string>();
    object["Command"] = cli::quoted(flags.no_trunc ? command : shorten(command, 20));
    table.add({view.record.name, view.record.image, object["Command"], view.record.service,
               object["RunningFor"], object["Status"], object["Ports"]});
    objects.push_back(std::move(object));
  }
  write_out(render_rows(flags.format, table, objects));
  return 0;
}

}  // namespace cli
