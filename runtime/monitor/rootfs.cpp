#include "runtime/monitor/rootfs.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/container/spec_json.hpp"
#include "runtime/monitor/plan.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"

namespace monitor {

std::string root_path(const container::Spec& spec, const std::string& bundle) {
  const std::string path = spec.root ? spec.root->path : std::string();
  if (path.empty()) throw os::Error("root.path is missing");
  return path.front() == '/' ? path : bundle + "/" + path;
}

namespace {

struct Overlay {
  std::vector<std::string> lower;  ///< top first
  std::string upper;
  std::string work;
  bool is_volatile = false;
};

Overlay parse_overlay(const std::string& text) {
  const nlohmann::json json =
      container::parse_json(text, "annotation " + std::string(kRootAnnotation));
  try {
    Overlay overlay{.lower = json.at("lower").get<std::vector<std::string>>(),
                    .upper = json.value("upper", std::string()),
                    .work = json.value("work", std::string()),
                    .is_volatile = json.value("volatile", false)};
    if (overlay.lower.empty()) throw os::Error("annotation stack.rootfs: no lower directory");
    if (overlay.upper.empty() != overlay.work.empty())
      throw os::Error("annotation stack.rootfs: upper and work go together");
    return overlay;
  } catch (const nlohmann::json::exception& error) {
    throw os::Error("annotation stack.rootfs: " + std::string(error.what()));
  }
}

os::UniqueFd open_layer(const std::string& path) {
  return os::open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

os::UniqueFd mount_overlay(const Overlay& overlay) {
  // An overlay of one layer and nothing to write to is refused by the kernel and needless.
  if (overlay.upper.empty() && overlay.lower.size() == 1) {
    os::UniqueFd layer = open_layer(overlay.lower.front());
    os::UniqueFd mount = os::clone_mount(layer.get(), "", false);
    os::set_mount_attributes(mount.get(), MOUNT_ATTR_RDONLY, 0, MS_PRIVATE, true, "/");
    return mount;
  }
  os::FilesystemContext context("overlay");
  for (const std::string& lower : overlay.lower) context.set_directory("lowerdir+", lower);
  if (!overlay.upper.empty()) {
    context.set_directory("upperdir", overlay.upper);
    context.set_directory("workdir", overlay.work);
  }
  // What a later commit reads from the upper directory must be whole files at their own names.
  context.set_string("index", "off");
  context.set_string("metacopy", "off");
  context.set_string("redirect_dir", "off");
  context.set_string("xino", "auto");
  if (overlay.is_volatile) context.set_flag("volatile");
  return context.mount(0);
}

}  // namespace

os::UniqueFd open_root(const std::string& path, const std::string& overlay) {
  if (!overlay.empty()) {
    const Overlay description = parse_overlay(overlay);
    try {
      return mount_overlay(description);
    } catch (const os::Error& error) {
      throw error.in("mount overlay on '" + path + "'");
    }
  }
  const os::UniqueFd directory = os::open_file(path, O_PATH | O_DIRECTORY);
  os::UniqueFd mount = os::clone_mount(directory.get(), "", true);
  os::set_mount_attributes(mount.get(), 0, 0, MS_PRIVATE, true, path);
  return mount;
}

namespace {

/// Walks up from `path` to the mount it is on, the only place where propagation can be set.
void make_holding_mount_private(std::string path) {
  while (::mount(nullptr, path.c_str(), nullptr, MS_PRIVATE, nullptr) != 0) {
    if (errno != EINVAL || path == "/")
      throw os::Error(errno, "make the mount of '" + path + "' private");
    const auto slash = path.rfind('/');
    path = slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
  }
}

}  // namespace

void attach_root(int root, const std::string& path, bool make_parent_private) {
  if (make_parent_private) make_holding_mount_private(path);
  const os::UniqueFd place = os::open_file(path, O_PATH | O_DIRECTORY);
  os::attach_mount(root, place.get(), path);
}

namespace {

/// Who called us may be in a chroot, and our root with it: what is above would stay in the new
/// namespace, for chroot(2) to get out to and for setns(2) to land in. Entering a mount namespace
/// takes its real root, also when it is the own one.
void leave_chroot() {
  const os::UniqueFd self(os::check(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)),
                                    [] { return std::string("open a descriptor of ourselves"); }));
  os::check(::setns(self.get(), CLONE_NEWNS),
            [] { return std::string("enter the root of the mount namespace"); });
}

}  // namespace

void pivot_to(int root) {
  leave_chroot();
  const os::UniqueFd old = os::open_file("/", O_PATH | O_DIRECTORY);
  os::check(::fchdir(root), [] { return std::string("enter the root file system"); });
  os::check(::syscall(SYS_pivot_root, ".", "."),
            [] { return std::string("make the root file system the root"); });
  os::check(::fchdir(old.get()), [] { return std::string("enter the old root"); });
  // The old tree is stacked on the new root now; its end must not travel to the host.
  os::check(::mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr),
            [] { return std::string("cut the old root's mounts off the host's"); });
  os::check(::umount2(".", MNT_DETACH), [] { return std::string("unmount the old root"); });
  os::check(::chdir("/"), [] { return std::string("enter '/'"); });
}

}  // namespace monitor
