#include "orchestrator/volumes_from.hpp"

#include <algorithm>

#include "manifests/decode.hpp"
#include "orchestrator/project.hpp"
#include "runtime/os/error.hpp"

namespace orchestrator {

VolumesFrom parse_volumes_from(const std::string& text) {
  constexpr std::string_view kContainer = "container:";
  const bool other = text.starts_with(kContainer);
  const std::string rest = other ? text.substr(kContainer.size()) : text;
  const auto colon = rest.find(':');
  const std::string mode = colon == std::string::npos ? "rw" : rest.substr(colon + 1);
  if (mode != "ro" && mode != "rw")
    throw os::Error("volumes_from \"" + text + "\": invalid mode \"" + mode + "\": use ro or rw");
  VolumesFrom result{.from = {}, .read_only = mode == "ro"};
  (other ? result.from.container : result.from.service) = rest.substr(0, colon);
  return result;
}

namespace {

ContainerRecord find_source(const Project& project, const manifests::NamespaceTarget& from) {
  if (!from.service.empty()) {
    const auto replicas = project.of_service(from.service);
    if (!replicas.empty()) return replicas.front()->record();
    throw os::Error("volumes_from: service \"" + from.service + "\" has no container");
  }
  for (ContainerRecord& record : read_records(project.paths()))
    if (record.name == from.container || record.id == from.container ||
        record.short_id() == from.container)
      return std::move(record);
  throw os::Error("volumes_from: no such container: " + from.container);
}

void collect(const Project& project, const manifests::Service& service, bool read_only,
             std::vector<std::string>& way, std::vector<VolumeSource>& found) {
  for (const std::string& text : service.volumes_from) {
    const VolumesFrom entry = parse_volumes_from(text);
    ContainerRecord record = find_source(project, entry.from);
    if (std::find(way.begin(), way.end(), record.id) != way.end())
      throw os::Error("volumes_from: container " + record.name + " leads back to itself");
    VolumeSource source{
        .record = std::move(record), .stack = {}, .read_only = read_only || entry.read_only};
    source.stack = manifests::from_json(source.record.model);
    if (source.stack.services.size() != 1)
      throw os::Error("record of container '" + source.record.name +
                      "' describes no single service");
    way.push_back(source.record.id);
    collect(project, source.service(), source.read_only, way, found);
    way.pop_back();
    found.push_back(std::move(source));
  }
}

}  // namespace

std::vector<VolumeSource> volume_sources(const Project& project,
                                         const manifests::Service& service) {
  std::vector<VolumeSource> found;
  std::vector<std::string> way;
  collect(project, service, false, way, found);
  return found;
}

std::vector<VolumeUse> inherited_uses(const std::vector<VolumeSource>& sources) {
  std::vector<VolumeUse> uses;
  for (const VolumeSource& source : sources)
    for (VolumeUse use : source.record.volumes) {
      use.anonymous = false;
      std::erase_if(uses, [&](const VolumeUse& each) { return each.target == use.target; });
      uses.push_back(std::move(use));
    }
  return uses;
}

}  // namespace orchestrator
