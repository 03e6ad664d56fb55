#include "orchestrator/container_root.hpp"

#include <fcntl.h>
#include <sys/mount.h>

#include "orchestrator/translate.hpp"
#include "runtime/image/store.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"

namespace orchestrator {

namespace {

std::vector<std::string> layers_of(const Paths& paths, const ContainerRecord& record) {
  const image::Store store(paths.images());
  const auto found = store.find(record.image_id);
  if (!found) throw os::Error("image " + record.image_id + " is gone from the store");
  return store.layer_directories(*found);
}

}  // namespace

os::UniqueFd open_container_root(const Paths& paths, const ContainerRecord& record, pid_t init) {
  if (init > 0)
    return os::open_file("/proc/" + std::to_string(init) + "/root", O_PATH | O_DIRECTORY);
  const std::vector<std::string> layers = layers_of(paths, record);
  const ContainerLayout layout(paths, record.short_id());
  make_writable_layer(layout, layers);
  os::FilesystemContext context("overlay");
  for (const std::string& layer : layers) context.set_directory("lowerdir+", layer);
  context.set_directory("upperdir", layout.upper);
  context.set_directory("workdir", layout.work);
  // As the runtime mounts it (monitor/rootfs.cpp).
  for (const char* option : {"index", "metacopy", "redirect_dir"})
    context.set_string(option, "off");
  context.set_string("xino", "auto");
  return context.mount(0);
}

os::UniqueFd open_container_layers(const Paths& paths, const ContainerRecord& record) {
  const std::vector<std::string> layers = layers_of(paths, record);
  const ContainerLayout layout(paths, record.short_id());
  make_writable_layer(layout, layers);
  // As a lower layer: a second overlay that writes to the same place would not be defined.
  os::FilesystemContext context("overlay");
  context.set_directory("lowerdir+", layout.upper);
  for (const std::string& layer : layers) context.set_directory("lowerdir+", layer);
  return context.mount(MOUNT_ATTR_RDONLY);
}

}  // namespace orchestrator
