#include "orchestrator/container_volumes.hpp"

#include "orchestrator/volumes_from.hpp"
#include "runtime/image/copy_up.hpp"
#include "runtime/os/error.hpp"

namespace orchestrator {

namespace {

/// One volume that a container needs.
struct Need {
  VolumeRecord volume;
  std::string target;
  bool copy_up = true;
};

class Needs {
 public:
  Needs(const Project& project, const std::vector<VolumeUse>& inherited)
      : project_(project), inherited_(inherited) {}

  void add_named(const manifests::Volume& volume, const std::string& key,
                 const manifests::Mount& mount) {
    Need need{.volume = {.name = volume.name,
                         .project = project_.name(),
                         .key = key,
                         .labels = volume.labels,
                         .driver_opts = volume.driver_opts},
              .target = mount.target,
              .copy_up = volume.driver_opts.empty()};
    if (mount.volume && (mount.volume->nocopy || !mount.volume->subpath.empty()))
      need.copy_up = false;
    needs_.push_back(std::move(need));
  }

  void add_anonymous(const std::string& target, bool nocopy, const manifests::Labels& labels) {
    std::string name;
    for (const VolumeUse& use : inherited_)
      if (use.anonymous && use.target == target) name = use.name;
    if (name.empty()) name = make_container_id();
    needs_.push_back(
        {.volume = {.name = name, .project = project_.name(), .anonymous = true, .labels = labels},
         .target = target,
         .copy_up = !nocopy});
  }

  const std::vector<Need>& list() const { return needs_; }

 private:
  const Project& project_;
  const std::vector<VolumeUse>& inherited_;
  std::vector<Need> needs_;
};

/// Whether something else is mounted where the image declares a volume.
bool covered(const manifests::Service& service, const std::vector<VolumeSource>& sources,
             const std::string& target) {
  for (const VolumeSource& source : sources) {
    if (covered(source.service(), {}, target)) return true;
    for (const VolumeUse& use : source.record.volumes)
      if (use.target == target) return true;
  }
  for (const manifests::Mount& mount : service.volumes)
    if (mount.target == target) return true;
  for (const std::string& entry : service.tmpfs)
    if (entry.substr(0, entry.find(':')) == target) return true;
  return false;
}

}  // namespace

Task<> make_volumes(Project& project, ContainerRecord& record, const manifests::Stack& stack,
                    const manifests::Service& service, std::vector<VolumeUse> inherited) {
  const std::vector<VolumeSource> sources = volume_sources(project, service);
  Needs needs(project, inherited);
  for (const manifests::Mount& mount : service.volumes) {
    if (mount.type != manifests::MountType::volume) continue;
    if (mount.source.empty()) {
      const auto options = mount.volume.value_or(manifests::VolumeOptions{});
      needs.add_anonymous(mount.target, options.nocopy, options.labels);
      continue;
    }
    const auto declared = stack.volumes.find(mount.source);
    if (declared == stack.volumes.end())
      throw os::Error("service \"" + service.name + "\" refers to undefined volume " +
                      mount.source);
    const manifests::Volume& volume = declared->second;
    if (volume.external && !project.volumes().find(volume.name))
      throw os::Error("external volume \"" + volume.name + "\" not found");
    needs.add_named(volume, mount.source, mount);
  }
  const ImageUse& use = project.image(record.image_id);
  for (const std::string& target : use.image.config.volumes)
    if (!covered(service, sources, target)) needs.add_anonymous(target, false, {});

  record.volumes.clear();
  for (const Need& need : needs.list()) {
    record.volumes.push_back({need.volume.name, need.target, need.volume.anonymous});
    project.volumes().create(need.volume);
  }
  for (VolumeUse& inherits : inherited_uses(sources))
    if (std::none_of(record.volumes.begin(), record.volumes.end(),
                     [&](const VolumeUse& own) { return own.target == inherits.target; }))
      record.volumes.push_back(std::move(inherits));
  if (needs.list().empty()) co_return;
  auto fill = [list = needs.list(), layers = use.layers, store = project.volumes()] {
    const image::LayerStack image(layers);
    for (const Need& need : list)
      if (need.copy_up) image::copy_up(image, need.target, store.directory(need.volume.name));
  };
  co_await blocking(project.workers(), std::move(fill));
}

}  // namespace orchestrator
