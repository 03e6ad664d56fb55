#include "orchestrator/container_root.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "orchestrator/translate.hpp"
#include "runtime/image/store.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/mount.hpp"

namespace orchestrator {

namespace {

std::vector<std::string> layers_of(const Paths& paths, const ContainerRecord& record) {
  const image::Store store(paths.images());
  const auto found = store.find(record.image_id);
  if (!found) throw os::Error("image " + record.image_id + " is gone from the store");
  return root_layers(paths, store.layer_directories(*found));
}

/// Complete before it has its name; whoever comes second finds it there.
void make_mount_places(const std::string& directory) {
  const os::TempDir fresh(directory.substr(0, directory.rfind('/')), "tmp-mount-places-");
  const std::string& root = fresh.path();
  for (const char* name : {"/dev", "/etc", "/proc", "/sys"}) {
    os::make_directories(root + name, 0755);
    os::check(::chmod((root + name).c_str(), 0755),
              [&] { return "set the mode of '" + root + name + "'"; });
  }
  for (const char* name : {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"}) {
    os::write_file_atomic(root + name, "", 0644);
    os::check(::chmod((root + name).c_str(), 0644),
              [&] { return "set the mode of '" + root + name + "'"; });
  }
  os::check(::chmod(root.c_str(), 0755), [&] { return "set the mode of '" + root + "'"; });
  if (::rename(root.c_str(), directory.c_str()) != 0 && errno != EEXIST && errno != ENOTEMPTY)
    throw os::Error(errno, "rename '" + root + "'");
}

}  // namespace

std::vector<std::string> root_layers(const Paths& paths, std::vector<std::string> image_layers) {
  const std::string places = paths.cache() + "/mount-places";
  if (!os::exists(places)) make_mount_places(places);
  image_layers.push_back(places);
  return image_layers;
}

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
