#include "runtime/monitor/apply.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/monitor/hooks.hpp"
#include "runtime/monitor/mounts.hpp"
#include "runtime/monitor/rootfs.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"

namespace monitor {

void Applier::run() {
  ::umask(0);  // modes of nodes and directories are meant as given
  for (index_ = 0; index_ < launch_.plan.size(); ++index_) {
    progress_.stage = stage_of(launch_.plan[index_]);
    std::visit([this](const auto& step) { apply(step); }, launch_.plan[index_]);
  }
  ::umask(022);
}

const Procfs& Applier::procfs() {
  if (!procfs_) procfs_ = Procfs::open();
  return *procfs_;
}

void Applier::apply(const PropagationStep& step) {
  os::check(::mount(nullptr, "/", nullptr, MS_REC | step.propagation, nullptr),
            [] { return std::string("set the propagation of '/'"); });
}

void Applier::apply(const RootStep& step) {
  attach_root(launch_.root.get(), launch_.root_path, step.make_parent_private);
}

void Applier::apply(const MountStep& step) {
  os::UniqueFd mount = mount_in_root(root(), step, std::move(launch_.sources[index_]), procfs_);
  if (step.readonly_later) readonly_later_[step.destination] = std::move(mount);
}

void Applier::apply(const DeviceStep& step) { create_device(root(), step.device); }

void Applier::apply(const LinkStep& step) { create_link(root(), step); }

void Applier::apply(const ConsoleStep&) {
  terminal_ = open_terminal(root(), launch_.program.process);
  mount_console(root(), *terminal_);
}

void Applier::apply(const SysctlStep& step) {
  std::string path = step.key;
  // As sysctl(8): what comes first is the separator, the other one is part of a name.
  if (path.find_first_of("./") != std::string::npos && path[path.find_first_of("./")] == '.')
    for (char& c : path) c = c == '.' ? '/' : (c == '/' ? '.' : c);
  procfs().write("sys/" + path, step.value);
}

void Applier::apply(const HooksStep&) {
  run_hooks(launch_.hooks.create_container, "createContainer", oci_state(launch_.hook_state));
}

void Applier::apply(const PivotStep&) {
  pivot_to(launch_.root.get());
  new_root_ = os::open_file("/", O_PATH | O_DIRECTORY);
}

void Applier::apply(const HostnameStep& step) {
  os::check(::sethostname(step.name.data(), step.name.size()),
            [&] { return "set the hostname '" + step.name + "'"; });
}

void Applier::apply(const DomainnameStep& step) {
  os::check(::setdomainname(step.name.data(), step.name.size()),
            [&] { return "set the domain name '" + step.name + "'"; });
}

void Applier::apply(const NullStreamsStep&) { replace_null_streams(root()); }

void Applier::apply(const WorkingDirectoryStep& step) {
  try {
    os::open_in_root(root(), step.path, O_PATH | O_DIRECTORY);
  } catch (const os::Error& error) {
    // Without the right to look the user may still have it.
    if (error.code() == EACCES) return;
    if (error.code() != ENOENT) throw;
    os::make_directories_in_root(root(), step.path);
  }
}

void Applier::apply(const ReadonlyPathStep& step) { make_readonly(root(), step.path); }

void Applier::apply(const MaskedPathStep& step) { mask_.hide(root(), step.path); }

void Applier::apply(const ReadonlyMountStep& step) {
  const auto mount = readonly_later_.find(step.path);
  if (mount == readonly_later_.end()) return make_mount_readonly(root(), step.path);
  // The very mount, whatever lies at its path by now.
  os::set_mount_attributes(mount->second.get(), MOUNT_ATTR_RDONLY, 0, 0, false, step.path);
}

void Applier::apply(const RootPropagationStep& step) {
  os::check(::mount(nullptr, "/", nullptr, MS_REC | step.propagation, nullptr),
            [] { return std::string("set the propagation of '/'"); });
}

}  // namespace monitor
