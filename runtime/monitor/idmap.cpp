#include "runtime/monitor/idmap.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace monitor {

namespace {

std::string map_text(const std::vector<container::IdMapping>& mappings) {
  std::string text;
  for (const container::IdMapping& mapping : mappings)
    text += std::to_string(mapping.container_id) + " " + std::to_string(mapping.host_id) + " " +
            std::to_string(mapping.size) + "\n";
  return text;
}

/// A process that only holds a user namespace open until its owner has taken a descriptor of it.
os::Child hold_user_namespace() {
  clone_args arguments{};
  arguments.flags = CLONE_NEWUSER;
  arguments.exit_signal = SIGCHLD;
  const long pid = os::check(::syscall(SYS_clone3, &arguments, sizeof arguments),
                             [] { return std::string("make a user namespace"); });
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (;;) ::pause();
  }
  return os::Child(static_cast<pid_t>(pid), os::Pidfd());
}

}  // namespace

void write_id_maps(pid_t pid, const std::vector<container::IdMapping>& uids,
                   const std::vector<container::IdMapping>& gids) {
  const std::string process = "/proc/" + std::to_string(pid);
  os::write_to(process + "/gid_map", map_text(gids));
  os::write_to(process + "/uid_map", map_text(uids));
}

void map_mount_ids(int mount, const std::vector<container::IdMapping>& uids,
                   const std::vector<container::IdMapping>& gids, bool recursive) {
  const os::Child holder = hold_user_namespace();
  write_id_maps(holder.pid(), uids, gids);
  const os::UniqueFd user_namespace =
      os::open_file("/proc/" + std::to_string(holder.pid()) + "/ns/user", O_RDONLY);
  struct mount_attr attributes {};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<__u64>(user_namespace.get());
  const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U);
  os::check(::mount_setattr(mount, "", flags, &attributes, sizeof attributes),
            [] { return std::string("map the ids of a mount"); });
}

}  // namespace monitor
