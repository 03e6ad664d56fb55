#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/labels.hpp"
#include "orchestrator/cli/object_verbs.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/table.hpp"
#include "orchestrator/record.hpp"
#include "orchestrator/volumes.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

using Json = nlohmann::ordered_json;

/// `project`: only what this one has made; empty: all.
int list(const orchestrator::VolumeStore& store, bool quiet, const std::string& format,
         const std::string& project = {}) {
  Table table({"DRIVER", "VOLUME NAME", "PROJECT"});
  std::vector<Json> objects;
  std::string names;
  for (const orchestrator::VolumeRecord& volume : store.list()) {
    if (!project.empty() && volume.project != project) continue;
    table.add({"local", volume.name, volume.project});
    std::string labels;
    for (const auto& [key, value] : volume.labels)
      labels += (labels.empty() ? "" : ",") + key + "=" + value;
    objects.push_back({{"Driver", "local"},
                       {"Labels", labels},
                       {"Mountpoint", store.directory(volume.name)},
                       {"Name", volume.name},
                       {"Project", volume.project},
                       {"Scope", "local"}});
    names += volume.name + "\n";
  }
  write_out(quiet ? names : render_rows(format, table, objects));
  return 0;
}

int create(orchestrator::VolumeStore& store, const ObjectFlags& flags, const std::string& name) {
  if (flags.driver != "local")
    throw os::Error("plugin \"" + flags.driver + "\" not found: only the driver local is there");
  // One that is there is left as it is, as Docker does.
  store.create({.name = name,
                .labels = parse_pairs(flags.labels, "--label"),
                .driver_opts = parse_pairs(flags.options, "--opt")});
  write_out(name + "\n");
  return 0;
}

int remove(const orchestrator::Paths& paths, orchestrator::VolumeStore& store,
           const std::vector<std::string>& names, bool force) {
  const auto records = orchestrator::read_records(paths);
  for (const std::string& name : names) {
    if (force && !store.find(name)) continue;
    if (!store.find(name)) throw os::Error("no such volume: " + name);
    for (const auto& record : records)
      for (const orchestrator::VolumeUse& use : record.volumes)
        if (use.name == name)
          throw os::Error("volume " + name + " is in use by container " + record.name);
    store.remove(name);
    write_out(name + "\n");
  }
  return 0;
}

}  // namespace

int volume(Invocation& invocation) {
  ObjectFlags flags;
  CommandLine& line = invocation.line;
  declare(line, flags,
          {.driver = "local",
           .options = "create: type=none, o=bind, device=PATH for a directory of the host",
           .arguments = "create [NAME] | ls | rm NAME..."});
  line.example("stack volume ls", "all volumes of this machine");
  line.example("stack volume create data", "one that no stack removes (external: true)");
  line.example("stack volume rm shop_data", "remove one, with its data");
  if (!line.parse()) return 0;
  require_verb(flags, {"create", "ls", "rm"});
  const std::string& verb = flags.verb();
  const std::vector<std::string> names = flags.names();
  if (verb == "rm" && names.empty()) throw UsageError("requires the name of a volume");
  if ((verb == "create" && names.size() > 1) || (verb == "ls" && !names.empty()))
    throw UsageError("unexpected argument \"" + names.back() + "\"");
  require_root(invocation);
  invocation.paths.make();
  orchestrator::VolumeStore store(invocation.paths.volumes());
  if (verb == "ls") return list(store, flags.quiet, flags.format);
  if (verb == "rm") return remove(invocation.paths, store, names, flags.force);
  return create(store, flags, names.empty() ? orchestrator::make_container_id() : names.front());
}

int volumes(Invocation& invocation) {
  std::string format = "table";
  bool quiet = false;
  CommandLine& line = invocation.line;
  line.flag("-q,--quiet", quiet, "Only names");
  line.option("--format", format, "FORMAT", "table, json or TEMPLATE");
  line.example("stack volumes", "those that this project has made");
  if (!line.parse()) return 0;
  require_root(invocation);
  const Project project = find_project(invocation, {});
  return list(orchestrator::VolumeStore(invocation.paths.volumes()), quiet, format, project.name);
}

}  // namespace cli
