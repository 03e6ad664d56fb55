// What the supervisor holds of its project: the containers, their network, volumes and images, and
// the means to wait and to tell.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "orchestrator/container.hpp"
#include "orchestrator/fabric.hpp"
#include "orchestrator/journal.hpp"
#include "orchestrator/paths.hpp"
#include "orchestrator/reconcile.hpp"
#include "orchestrator/trace.hpp"
#include "orchestrator/volumes.hpp"
#include "runtime/container/cgroup_layout.hpp"
#include "runtime/container/runtime_file.hpp"
#include "runtime/image/store.hpp"
#include "runtime/os/fd.hpp"

namespace orchestrator {

/// An image with its unpacked layers, top first.
struct ImageUse {
  image::Image image;
  std::vector<std::string> layers;
};

class Project {
 public:
  Project(boost::asio::io_context& io, Paths paths, std::string name);

  const std::string& name() const { return name_; }
  const Paths& paths() const { return paths_; }
  boost::asio::any_io_executor executor() { return io_.get_executor(); }
  boost::asio::thread_pool& workers() { return workers_; }
  Changed& changed() { return changed_; }
  Fabric& fabric() { return fabric_; }
  const Fabric& fabric() const { return fabric_; }
  Journal& journal() { return journal_; }
  Trace& trace() { return trace_; }
  image::Store& images() { return images_; }
  VolumeStore& volumes() { return volumes_; }
  const container::CgroupLayout& cgroups() const { return cgroups_; }

  /// The image of this id; read once. Throws os::Error when it is gone from the store.
  const ImageUse& image(const std::string& id);

  /// Takes up what is on disk, and all that still runs.
  Task<> adopt();
  /// Writes the record and takes the container in.
  std::shared_ptr<Container> add(ContainerRecord record);
  void forget(const std::string& id);

  std::vector<std::shared_ptr<Container>> containers() const;
  std::shared_ptr<Container> find(const std::string& id) const;
  std::shared_ptr<Container> find_by_name(const std::string& name) const;
  /// The replicas of a service, by number; without one-offs.
  std::vector<std::shared_ptr<Container>> of_service(const std::string& service) const;
  std::vector<ExistingContainer> existing() const;
  /// Whether a container other than the one of this id has the volume.
  bool uses_volume(const std::string& volume, const std::string& but_for) const;

  /// What `up` was last given; the newest state of the file that is known.
  const std::optional<manifests::Stack>& desired() const { return desired_; }
  void set_desired(manifests::Stack stack);
  /// After `down`: nothing of the project is left on disk.
  void erase();

  /// The command that starts a supervisor of this project.
  std::vector<std::string> supervise_command() const;
  const container::RuntimeFile& runtime() const noexcept { return runtime_; }

 private:
  Task<> adopt_container(std::shared_ptr<Container> container, int* left);

  boost::asio::io_context& io_;
  Paths paths_;
  std::string name_;
  container::RuntimeFile runtime_;
  Changed changed_;
  image::Store images_;
  VolumeStore volumes_;
  Journal journal_;
  Trace trace_;
  Fabric fabric_;
  container::CgroupLayout cgroups_;
  std::map<std::string, ImageUse> image_cache_;
  std::map<std::string, std::shared_ptr<Container>> containers_;  ///< by id
  std::optional<manifests::Stack> desired_;
  boost::asio::thread_pool workers_{2};
};

}  // namespace orchestrator
