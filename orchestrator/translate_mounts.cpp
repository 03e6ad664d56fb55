#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "orchestrator/translate_parts.hpp"
#include "runtime/image/layer_stack.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/mount.hpp"

namespace orchestrator {

namespace {

/// Puts the mounts of one container together; a later one replaces an earlier one on its target.
class MountList {
 public:
  /// `read_only`: whatever a mount says.
  MountList(const ContainerInput& input, container::Spec& spec, bool read_only = false)
      : input_(input), spec_(spec), read_only_(read_only) {}

  /// What the service mounts: its volumes, those that the image declares, and tmpfs.
  void add_volumes() {
    for (const VolumeUse& use : input_.record->volumes)
      if (use.anonymous) add_anonymous(use);
    for (const manifests::Mount& mount : input_.service->volumes)
      if (mount.type != manifests::MountType::volume || !mount.source.empty()) add_volume(mount);
  }

  void add_volume(const manifests::Mount& mount) {
    if (mount.target == "/") throw os::Error("invalid mount: destination can't be '/'");
    if (mount.target.empty() || mount.target.front() != '/')
      throw os::Error("invalid mount '" + mount.target + "': mount path must be absolute");
    switch (mount.type) {
      case manifests::MountType::bind:
        return add_bind(mount);
      case manifests::MountType::volume:
        return add_named(mount);
      case manifests::MountType::tmpfs:
        return add_tmpfs(mount);
      case manifests::MountType::image:
        return add_image(mount);
      case manifests::MountType::npipe:
      case manifests::MountType::cluster:
        throw os::Error("mount '" + mount.target + "': mount type unknown on Linux");
    }
  }

  void add_anonymous(const VolumeUse& use) {
    std::vector<std::string> options{"rbind", "rprivate"};
    if (read_only_) options.emplace_back("rro");
    put({.destination = use.target,
         .type = "bind",
         .source = input_.volumes->directory(use.name),
         .options = std::move(options)});
  }

  /// `PATH[:OPTIONS]`
  void add_short_tmpfs(const std::string& text) {
    const auto colon = text.find(':');
    container::Mount mount{.destination = text.substr(0, colon),
                           .type = "tmpfs",
                           .source = "tmpfs",
                           .options = {"nosuid", "nodev", "noexec"}};
    std::string options = colon == std::string::npos ? "" : text.substr(colon + 1);
    for (std::size_t begin = 0; begin < options.size();) {
      const std::size_t end = std::min(options.find(',', begin), options.size());
      if (end > begin) mount.options.push_back(options.substr(begin, end - begin));
      begin = end + 1;
    }
    put(std::move(mount));
  }

  /// A config or secret: its file bound, or its content written to a file of the container's own.
  void add_file(const manifests::FileMount& use, const manifests::FileObject& object,
                const std::string& kind, const std::string& target) {
    if (object.external) throw os::Error("unsupported external " + kind + " " + use.source);
    std::string source = object.file;
    if (object.content)
      source = write_content(kind + "-" + use.source, *object.content, use);
    else if (!object.environment.empty())
      throw os::Error("environment variable \"" + object.environment + "\" required by " + kind +
                      " \"" + object.name + "\" is not set");
    else if (!os::exists(source))
      throw os::Error(kind + " \"" + use.source + "\": file '" + source + "' does not exist");
    if (has(target)) return;  // a volume on the same target wins
    put({.destination = target,
         .type = "bind",
         .source = source,
         .options = {"rbind", "ro", "rprivate"}});
  }

  void add_network_files() {
    const std::string own = input_.layout.files;
    const std::string& files = input_.shared_files.empty() ? own : input_.shared_files;
    for (const char* name : {"resolv.conf", "hostname", "hosts"}) {
      const std::string target = std::string("/etc/") + name;
      if (has(target)) continue;
      put({.destination = target,
           .type = "bind",
           .source = files + "/" + name,
           .options = {"rbind", "rprivate"}});
    }
  }

  /// What the runtime is told of subpaths; see its annotation "stack.subpaths".
  void note_subpaths() const {
    if (!subpaths_.empty()) spec_.annotations["stack.subpaths"] = nlohmann::json(subpaths_).dump();
  }

 private:
  bool has(const std::string& target) const {
    return std::any_of(spec_.mounts.begin(), spec_.mounts.end(),
                       [&](const container::Mount& each) { return each.destination == target; });
  }

  void put(container::Mount mount) {
    if (mount.destination == "/") throw os::Error("invalid mount: destination can't be '/'");
    std::erase_if(spec_.mounts, [&](const container::Mount& each) {
      return each.destination == mount.destination;
    });
    subpaths_.erase(mount.destination);
    spec_.mounts.push_back(std::move(mount));
  }

  void add_bind(const manifests::Mount& mount) {
    if (!os::exists(mount.source)) {
      if (!mount.create_host_path())
        throw os::Error("invalid mount: bind source path does not exist: " + mount.source);
      os::make_directories(mount.source, 0755);
    }
    const manifests::BindOptions bind = mount.bind.value_or(manifests::BindOptions{});
    std::vector<std::string> options{bind.recursive == "disabled" ? "bind" : "rbind"};
    options.push_back(bind.propagation.empty() ? "rprivate" : bind.propagation);
    if (mount.read_only || read_only_)
      options.push_back(bind.recursive == "disabled" || bind.recursive == "writable" ? "ro"
                                                                                     : "rro");
    put({.destination = mount.target,
         .type = "bind",
         .source = mount.source,
         .options = std::move(options)});
  }

  void add_named(const manifests::Mount& mount) {
    std::vector<std::string> options{"rbind", "rprivate"};
    if (mount.read_only || read_only_) options.emplace_back("rro");
    put({.destination = mount.target,
         .type = "bind",
         .source = volume_directory(mount),
         .options = std::move(options)});
    // Resolved by the runtime when it mounts: whoever shares the volume may change it until then.
    if (mount.volume && !mount.volume->subpath.empty())
      subpaths_[mount.target] = mount.volume->subpath;
  }

  /// A view of an image's files: one directory of it, or all that its layers have there as one.
  void add_image(const manifests::Mount& mount) {
    const std::string what = "image \"" + mount.source + "\"";
    const std::vector<std::string> layers = input_.layers_of(mount.source);
    if (layers.empty()) throw os::Error("mount '" + mount.target + "': no such " + what);
    const std::string subpath = mount.image ? mount.image->subpath : "";
    const image::LayerStack tree(layers);
    const auto found = tree.resolve(subpath.empty() ? "/" : subpath);
    if (!found) throw os::Error(ENOENT, "open subpath '" + subpath + "' of " + what);
    container::Mount made{
        .destination = mount.target, .type = "overlay", .source = "image", .options = {"ro"}};
    if (found->merged.size() <= 1) {
      made.type = "bind";
      made.source = os::path_of(found->top());
      made.options = {"bind", "ro", "rprivate"};
    }
    for (const os::UniqueFd& part : found->merged)
      if (found->merged.size() > 1) made.options.push_back("lowerdir+=" + os::path_of(part.get()));
    put(std::move(made));
  }

  std::string volume_directory(const manifests::Mount& mount) const {
    for (const VolumeUse& use : input_.record->volumes) {
      if (use.target != mount.target) continue;
      if (const auto declared = input_.stack->volumes.find(mount.source);
          declared != input_.stack->volumes.end())
        if (auto device = bound_device(declared->second)) return *device;
      return input_.volumes->directory(use.name);
    }
    throw os::Error("no volume was made for '" + mount.target + "'");
  }

  /// The local driver's options: only a bind of a directory has a meaning of its own here.
  static std::optional<std::string> bound_device(const manifests::Volume& volume) {
    const auto option = [&](const char* key) {
      const auto found = volume.driver_opts.find(key);
      return found == volume.driver_opts.end() ? std::string() : found->second;
    };
    const std::string device = option("device");
    if (device.empty()) return std::nullopt;
    if (option("o").find("bind") == std::string::npos)
      throw os::Error("volume \"" + volume.name + "\": driver_opts type '" + option("type") +
                      "' is not supported; bind a directory: {type: none, o: bind, device: PATH}");
    if (!os::exists(device))
      throw os::Error("volume \"" + volume.name + "\": device '" + device + "' does not exist");
    return device;
  }

  void add_tmpfs(const manifests::Mount& mount) {
    container::Mount made{.destination = mount.target,
                          .type = "tmpfs",
                          .source = "tmpfs",
                          .options = {"nosuid", "nodev", "noexec"}};
    if (mount.read_only) made.options.emplace_back("ro");
    if (mount.tmpfs && mount.tmpfs->size)
      made.options.push_back("size=" + std::to_string(mount.tmpfs->size.value));
    if (mount.tmpfs && mount.tmpfs->mode != 0) {
      char mode[32];
      std::snprintf(mode, sizeof mode, "mode=%o", mount.tmpfs->mode);
      made.options.emplace_back(mode);
    }
    put(std::move(made));
  }

  std::string write_content(const std::string& name, const std::string& content,
                            const manifests::FileMount& use) const {
    const std::string path = input_.layout.files + "/" + name;
    const auto id = [&](const std::string& text, const char* what) -> unsigned {
      if (text.empty()) return 0;
      try {
        return static_cast<unsigned>(std::stoul(text));
      } catch (const std::exception&) {
        throw os::Error(std::string(what) + " '" + text + "' of \"" + use.source +
                        "\" is no number");
      }
    };
    os::write_file_atomic(path, content, use.mode ? use.mode->bits : 0444);
    os::check(::chown(path.c_str(), id(use.uid, "uid"), id(use.gid, "gid")),
              [&] { return "set the owner of '" + path + "'"; });
    return path;
  }

  const ContainerInput& input_;
  container::Spec& spec_;
  bool read_only_;
  std::map<std::string, std::string> subpaths_;
};

template <class Objects>
const manifests::FileObject& find_object(const Objects& objects, const std::string& name,
                                         const char* kind) {
  const auto found = objects.find(name);
  if (found == objects.end())
    throw os::Error(std::string("undefined ") + kind + " \"" + name + "\"");
  return found->second;
}

}  // namespace

void add_mounts(const ContainerInput& input, container::Spec& spec) {
  for (const VolumeSource& source : input.volume_sources) {
    ContainerInput theirs = input;
    theirs.stack = &source.stack;
    theirs.service = &source.service();
    theirs.record = &source.record;
    MountList(theirs, spec, source.read_only).add_volumes();
  }
  MountList mounts(input, spec);
  mounts.add_volumes();
  for (const std::string& entry : input.service->tmpfs) mounts.add_short_tmpfs(entry);
  mounts.add_network_files();
  for (const manifests::FileMount& use : input.service->configs)
    mounts.add_file(use, find_object(input.stack->configs, use.source, "config"), "config",
                    manifests::config_path(use));
  for (const manifests::FileMount& use : input.service->secrets)
    mounts.add_file(use, find_object(input.stack->secrets, use.source, "secret"), "secret",
                    manifests::secret_path(use));
  mounts.note_subpaths();
  // By depth, whatever the order in the file, so that no mount hides one below it (D10.6).
  const auto depth = [](const container::Mount& mount) {
    return std::count(mount.destination.begin(), mount.destination.end(), '/');
  };
  std::stable_sort(spec.mounts.begin(), spec.mounts.end(),
                   [&](const auto& a, const auto& b) { return depth(a) < depth(b); });
}

}  // namespace orchestrator
