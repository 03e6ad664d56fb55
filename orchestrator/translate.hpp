// The one place that knows both a service and a container: from a service, its image and the
// addresses it was given to the OCI configuration that stack-runtime carries out.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "network/network.hpp"
#include "orchestrator/paths.hpp"
#include "orchestrator/record.hpp"
#include "orchestrator/volumes.hpp"
#include "orchestrator/volumes_from.hpp"
#include "runtime/container/spec.hpp"
#include "runtime/image/config.hpp"

namespace orchestrator {

/// Where the parts of a container are. Its writable layer and its log last; what each start makes
/// anew lies where the next boot clears it away.
struct ContainerLayout {
  ContainerLayout(const Paths& paths, const std::string& short_id)
      : upper(paths.container(short_id) + "/upper"),
        work(paths.container(short_id) + "/work"),
        log(paths.container(short_id) + "/container.log"),
        bundle(paths.run + "/bundles/" + short_id),
        rootfs(bundle + "/rootfs"),
        files(bundle + "/files") {}
  std::string upper;
  std::string work;
  std::string log;
  std::string bundle;
  std::string rootfs;
  std::string files;
  /// Makes the directories.
  void make() const;
};

/// Everything that the configuration of one container is made of.
struct ContainerInput {
  const manifests::Stack* stack = nullptr;
  const manifests::Service* service = nullptr;
  const ContainerRecord* record = nullptr;
  image::ImageConfig image;
  std::vector<std::string> layers;  ///< unpacked, top first
  ContainerLayout layout;
  std::vector<network::Address> addresses;  ///< in the order of its endpoints
  std::string host_gateway;                 ///< what `host-gateway` stands for
  std::string network_namespace;            ///< to join; empty: one of its own, or the host's
  std::string pid_namespace;                ///< to join
  std::string ipc_namespace;                ///< to join
  std::string shared_files;                 ///< whose /etc files to share (network_mode: service:x)
  const VolumeStore* volumes = nullptr;
  std::vector<VolumeSource> volume_sources;  ///< what `volumes_from` comes to
  /// The unpacked layers of an image, top first, by its name; empty when there is none.
  std::function<std::vector<std::string>(const std::string& image)> layers_of;
  bool unified_cgroup = false;  ///< this machine has cgroup v2 alone
};

/// The configuration of the container. Writes the files that it binds (hosts, resolv.conf,
/// hostname, configs and secrets with content) below `input.layout.files`. Throws os::Error for
/// what cannot be: an unknown user, a missing bind source, a bad capability, sysctl or security
/// option.
container::Spec translate(const ContainerInput& input);

/// Makes what is missing of a container's directories. The writable layer's own directory is the
/// container's `/`: it has the owner and mode that the image's top layer gives it.
void make_writable_layer(const ContainerLayout& layout, const std::vector<std::string>& layers);

/// The UTS hostname: `hostname`, the host's own in its network, else the short id.
std::string hostname_of(const manifests::Service& service, const ContainerRecord& record);

}  // namespace orchestrator
