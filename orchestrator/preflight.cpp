#include "orchestrator/preflight.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <thread>

#include "network/ip_address.hpp"
#include "network/port.hpp"
#include "network/port_holder.hpp"
#include "orchestrator/effective.hpp"
#include "orchestrator/endpoints.hpp"
#include "orchestrator/planning.hpp"
#include "orchestrator/shared_networks.hpp"
#include "orchestrator/volumes.hpp"
#include "runtime/container/capability.hpp"
#include "runtime/container/state.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/store.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace orchestrator {

namespace {

constexpr int kTriesForPort = 25;

/// The process that listens at a Unix socket; nothing when none does.
std::optional<pid_t> peer_of(const std::string& path, int type) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  path.copy(address.sun_path, path.size());
  const os::UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return std::nullopt;
  return peer.pid;
}

class Preflight {
 public:
  Preflight(const manifests::Stack& stack, const Paths& paths)
      : stack_(stack), paths_(paths), images_(paths.images()) {
    for (const ContainerRecord& record : read_records(paths, stack.name))
      if (const auto status = read_status(paths, record.short_id()))
        for (const PublishedPort& port : status->ports)
          own_ports_.insert({port.protocol, port.published});
  }

  void check(const manifests::Service& service) {
    const std::string path = "services." + service.name;
    check_image(service, path);
    check_mounts(service, path);
    check_files(service.configs, stack_.configs, "config", path + ".configs");
    check_files(service.secrets, stack_.secrets, "secret", path + ".secrets");
    check_ports(service, path);
    check_capabilities(service, path);
    check_logging(service, path);
    check_conditions(service, path);
    check_external(service);
    check_networks(service, path);
  }

  std::vector<manifests::Diagnostic> result() const { return found_.all(); }

 private:
  manifests::Diagnostic& error(const std::string& path, std::string message) {
    const manifests::Position* position = stack_.position(path);
    manifests::Diagnostic& diagnostic =
        found_.error(position != nullptr ? *position : manifests::Position{}, std::move(message));
    diagnostic.path = path;
    return diagnostic;
  }

  std::optional<image::ImageConfig> config_of(const manifests::Service& service) const {
    try {
      if (const auto image = images_.find(image_of(stack_, service))) return image->config;
    } catch (const os::Error&) {
      // A malformed name is check_image's to report.
    }
    return std::nullopt;
  }

  void check_image(const manifests::Service& service, const std::string& path) {
    const std::string reference = image_of(stack_, service);
    std::optional<image::Image> image;
    try {
      image = images_.find(reference);
    } catch (const os::Error& failed) {
      error(path + ".image", failed.what());
      return;
    }
    if (!image) {
      const bool builds = service.build.has_value();
      auto& diagnostic = error(path + (service.image.empty() ? ".build" : ".image"),
                               "service \"" + service.name + "\": no such image: " + reference);
      if (builds) {
        diagnostic.hint = "make it with `stack build " + service.name + "`";
      } else {
        const std::string near = manifests::nearest(reference, image_names());
        diagnostic.hint =
            near.empty() ? "`stack pull` fetches it, `stack load` and `stack import` bring it in; "
                           "`stack images --all` lists those that are there"
                         : "did you mean " + near + "?";
      }
      return;
    }
    try {
      effective_arguments(service, image->config);
      effective_stop_signal(service, image->config);
    } catch (const os::Error& failed) {
      error(path, "service \"" + service.name + "\": " + failed.what());
    }
  }

  std::vector<std::string> image_names() const {
    std::vector<std::string> names;
    for (const image::Image& image : images_.list())
      for (const std::string& name : image.names)
        names.push_back(image::Reference::parse(name).familiar());
    return names;
  }

  void check_mounts(const manifests::Service& service, const std::string& path) {
    for (std::size_t i = 0; i < service.volumes.size(); ++i) {
      const manifests::Mount& mount = service.volumes[i];
      if (mount.type == manifests::MountType::image) {
        check_image_mount(mount, path + ".volumes[" + std::to_string(i) + "]");
        continue;
      }
      if (mount.type != manifests::MountType::bind || mount.create_host_path() ||
          os::exists(mount.source))
        continue;
      error(path + ".volumes[" + std::to_string(i) + "]",
            "bind source path does not exist: " + mount.source)
          .hint = "make it, or leave `create_host_path: false` out to have it made as a directory";
    }
  }

  void check_image_mount(const manifests::Mount& mount, const std::string& place) {
    const std::string image = mounted_image(stack_, mount);
    try {
      if (images_.find(image)) return;
    } catch (const os::Error& failed) {
      error(place, failed.what());
      return;
    }
    error(place, "no such image: " + image).hint =
        "a volume of type image shows the files of an image in the store; `stack images` lists "
        "those that are there";
  }

  /// What the network room would refuse once all else is made.
  void check_networks(const manifests::Service& service, const std::string& path) {
    for (const auto& [key, attachment] : service.networks) {
      const auto found = stack_.networks.find(key);
      if (found == stack_.networks.end() || found->second.external ||
          !once("networks." + key + ".driver"))
        continue;
      try {
        network_spec(found->second);
      } catch (const os::Error& failed) {
        const bool driver = std::string_view(failed.what()).find("plugin") != std::string::npos;
        error("networks." + key + (driver ? ".driver" : ".driver_opts"), failed.what());
      }
    }
    try {
      endpoint_specs(stack_, service);
    } catch (const os::Error& failed) {
      error(path + ".networks", failed.what());
    }
  }

  /// What others must have made before.
  void check_external(const manifests::Service& service) {
    for (const auto& [key, attachment] : service.networks) {
      const auto found = stack_.networks.find(key);
      if (found == stack_.networks.end() || !found->second.external) continue;
      const std::string& name = found->second.name;
      if (!once("networks." + key) || SharedNetworks(paths_).find(name)) continue;
      error("networks." + key, "network " + name + " declared as external, but could not be found")
          .hint = "`stack network create " + name + "` makes it";
    }
    for (const manifests::Mount& mount : service.volumes) {
      const auto found = stack_.volumes.find(mount.source);
      if (mount.type != manifests::MountType::volume || found == stack_.volumes.end() ||
          !found->second.external || !once("volumes." + mount.source))
        continue;
      const std::string& name = found->second.name;
      if (VolumeStore(paths_.volumes()).find(name)) continue;
      error("volumes." + mount.source, "external volume \"" + name + "\" not found").hint =
          "`stack volume create " + name + "` makes it";
    }
  }

  /// Whether this is the first time that `path` is looked at.
  bool once(const std::string& path) { return seen_.insert(path).second; }

  template <class Objects>
  void check_files(const std::vector<manifests::FileMount>& uses, const Objects& objects,
                   const std::string& kind, const std::string& path) {
    for (std::size_t i = 0; i < uses.size(); ++i) {
      const auto found = objects.find(uses[i].source);
      if (found == objects.end()) continue;  // the model was checked for it
      const manifests::FileObject& object = found->second;
      const std::string place = path + "[" + std::to_string(i) + "]";
      if (object.external)
        error(place, "unsupported external " + kind + " " + uses[i].source);
      else if (!object.file.empty() && !os::exists(object.file))
        error(place, kind + " \"" + uses[i].source + "\": file does not exist: " + object.file);
      else if (!object.environment.empty() && !object.content)
        error(place, "environment variable \"" + object.environment + "\" required by " + kind +
                         " \"" + uses[i].source + "\" is not set");
    }
  }

  void check_ports(const manifests::Service& service, const std::string& path) {
    const std::vector<network::PublishSpec> ports = publish_specs(service);
    for (std::size_t i = 0; i < ports.size(); ++i) {
      const network::PublishSpec& port = ports[i];
      const bool fixed = port.published_first != 0 &&
                         (port.published_last == 0 || port.published_last == port.published_first);
      if (!fixed || own_ports_.contains({port.protocol, port.published_first})) continue;
      const std::string place = path + ".ports[" + std::to_string(i) + "]";
      const auto [first, added] =
          wanted_.try_emplace({port.host_ip, port.protocol, port.published_first}, place);
      if (!added) {
        auto& diagnostic = error(place, "port " + std::to_string(port.published_first) + "/" +
                                            port.protocol + " is published twice");
        if (const manifests::Position* before = stack_.position(first->second)) {
          diagnostic.related = *before;
          diagnostic.related_message = "the other one";
        }
        continue;
      }
      check_port(port, place);
    }
  }

  void check_port(const network::PublishSpec& port, const std::string& place) {
    const std::string host = port.host_ip.empty() ? "0.0.0.0" : port.host_ip;
    const auto address = network::IpAddress::parse(host);
    if (!address) {
      error(place, "Invalid ip address: " + host);
      return;
    }
    std::optional<network::PortHolder> holder;
    // Where nobody can be seen to hold it, whoever did is just going.
    for (int tries = 0; tries < kTriesForPort && !holder; ++tries) {
      try {
        if (network::bind_port(port.protocol, *address, port.published_first,
                               network::PortUse::reserve))
          return;
      } catch (const os::Error& failed) {
        error(place, failed.what());
        return;
      }
      holder = network::find_port_holder(port.protocol, port.published_first);
      if (!holder) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    // An earlier command's work, half done or being undone: the supervisor ends that first.
    if (holder && is_of_project(holder->pid)) return;
    error(place, "Bind for " + host + ":" + std::to_string(port.published_first) +
                     " failed: port is already allocated" + (holder ? " by " + holder->text() : ""))
        .hint = "stop that program, or publish another port";
  }

  /// Its supervisor, or the monitor of one of its containers.
  bool is_of_project(pid_t pid) const {
    if (peer_of(paths_.supervisor_socket(stack_.name), SOCK_STREAM) == pid) return true;
    for (const ContainerRecord& record : read_records(paths_, stack_.name)) {
      const container::StatePaths state(paths_.container_run(record.short_id()));
      if (peer_of(state.monitor_socket(), SOCK_SEQPACKET) == pid) return true;
    }
    return false;
  }

  void check_capabilities(const manifests::Service& service, const std::string& path) {
    const auto check = [&](const std::vector<std::string>& names, const char* key) {
      for (std::size_t i = 0; i < names.size(); ++i) {
        std::string upper = names[i];
        std::transform(upper.begin(), upper.end(), upper.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        if (upper != "ALL" && upper != "CAP_ALL" && !container::capability_number(names[i]))
          error(path + "." + key + "[" + std::to_string(i) + "]",
                "unknown capability: \"" + names[i] + "\"");
      }
    };
    check(service.cap_add, "cap_add");
    check(service.cap_drop, "cap_drop");
  }

  void check_logging(const manifests::Service& service, const std::string& path) {
    try {
      effective_log_limits(service);
    } catch (const os::Error& failed) {
      error(path + ".logging.options", failed.what());
    }
  }

  void check_conditions(const manifests::Service& service, const std::string& path) {
    for (const auto& [name, dependency] : service.depends_on) {
      if (dependency.condition != manifests::Condition::service_healthy || !dependency.required)
        continue;
      const auto found = stack_.services.find(name);
      if (found == stack_.services.end()) continue;
      const auto config = config_of(found->second);
      if (config && !effective_health_check(found->second, *config))
        error(path + ".depends_on." + name,
              "service \"" + service.name + "\" waits for \"" + name +
                  "\" to be healthy, but it has no healthcheck configured, nor has its image")
            .hint = "give \"" + name + "\" a healthcheck, or use condition: service_started";
    }
  }

  const manifests::Stack& stack_;
  const Paths& paths_;
  image::Store images_;
  manifests::Diagnostics found_;
  std::set<std::pair<std::string, int>> own_ports_;
  std::set<std::string> seen_;
  std::map<std::tuple<std::string, std::string, int>, std::string> wanted_;
};

}  // namespace

std::vector<manifests::Diagnostic> preflight(const manifests::Stack& stack,
                                             const std::set<std::string>& services,
                                             const Paths& paths) {
  Preflight preflight(stack, paths);
  for (const std::string& name : services) preflight.check(stack.services.at(name));
  return preflight.result();
}

}  // namespace orchestrator
