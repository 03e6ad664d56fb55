#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/table.hpp"
#include "orchestrator/record.hpp"
#include "orchestrator/volumes.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

using Json = nlohmann::ordered_json;

int list(const orchestrator::VolumeStore& store, bool quiet, const std::string& format) {
  Table table({"DRIVER", "VOLUME NAME", "PROJECT"});
  std::vector<Json> objects;
  std::string names;
  for (const orchestrator::VolumeRecord& volume : store.list()) {
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

int remove(const orchestrator::Paths& paths, orchestrator::VolumeStore& store,
           const std::vector<std::string>& names) {
  const auto records = orchestrator::read_records(paths);
  for (const std::string& name : names) {
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
  std::vector<std::string> words;
  std::string format = "table";
  bool quiet = false;
  CommandLine& line = invocation.line;
  line.flag("-q,--quiet", quiet, "Only names");
  line.option("--format", format, "FORMAT", "table, json or TEMPLATE");
  line.arguments("ls | rm VOLUME...", words, 1);
  line.example("stack volume ls", "all volumes of this machine");
  line.example("stack volume rm shop_data", "remove one, with its data");
  if (!line.parse()) return 0;
  const std::string verb = words.front();
  words.erase(words.begin());
  if (verb != "ls" && verb != "rm")
    throw UsageError("unknown command \"" + verb + "\": use ls or rm");
  if (verb == "rm" && words.empty()) throw UsageError("requires the name of a volume");
  require_root(invocation);
  orchestrator::VolumeStore store(invocation.paths.volumes());
  return verb == "ls" ? list(store, quiet, format) : remove(invocation.paths, store, words);
}

}  // namespace cli
