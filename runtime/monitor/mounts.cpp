#include "runtime/monitor/mounts.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <climits>
#include <nlohmann/json.hpp>

#include "runtime/container/spec_json.hpp"
#include "runtime/monitor/idmap.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"

namespace monitor {

namespace {

struct stat status_of(int fd, const std::string& name) {
  struct stat status {};
  os::check(::fstat(fd, &status), [&] { return "look at '" + name + "'"; });
  return status;
}

bool is_on(int fd, long magic) {
  struct statfs status {};
  return ::fstatfs(fd, &status) == 0 && status.f_type == magic;
}

std::uint64_t mount_id(int fd, const std::string& name) {
  struct statx status {};
  os::check(::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status),
            [&] { return "look at the mount on '" + name + "'"; });
  return status.stx_mnt_id;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

/// Where a link at `path` points, as a path of the root, with ".." resolved by name.
std::string link_target(int root, const std::string& path) {
  const os::UniqueFd link = os::open_in_root(root, path, O_PATH | O_NOFOLLOW);
  char buffer[PATH_MAX];
  const ssize_t n = os::check(::readlinkat(link.get(), "", buffer, sizeof buffer),
                              [&] { return "read the link '" + path + "'"; });
  const std::string target(buffer, static_cast<std::size_t>(n));
  const std::string joined = target.starts_with('/') ? target : parent_of(path) + "/" + target;
  return std::filesystem::path(joined).lexically_normal().string();
}

/// A place for a file, behind links that may lead to nothing yet: images often have
/// /etc/resolv.conf point into a /run that is filled at boot.
os::UniqueFd open_file_place(int root, std::string path) {
  constexpr int kMaxLinks = 40;
  for (int links = 0; links < kMaxLinks; ++links) {
    try {
      return os::make_mount_point(root, path, false);
    } catch (const os::Error& error) {
      if (error.code() != ELOOP && error.code() != EEXIST) throw;
    }
    path = link_target(root, path);
  }
  throw os::Error(ELOOP, "open '" + path + "' inside the root file system");
}

/// /proc is the runtime's only window on its own process, /sys on the kernel: an image must not
/// put a link there, nor a mount lie over what is written through them.
void check_kernel_places(int root, int target, const std::string& destination) {
  if (destination == "/proc" || destination == "/sys") {
    const os::UniqueFd named = os::open_in_root(root, destination, O_PATH | O_NOFOLLOW);
    if (!S_ISDIR(status_of(named.get(), destination).st_mode))
      throw os::Error(ENOTDIR, "mount on '" + destination + "'");
  } else if (!may_mount_below_proc(destination) ||
             (is_on(target, PROC_SUPER_MAGIC) && !destination.starts_with("/proc/"))) {
    throw os::Error(EPERM, "mount on '" + destination + "' inside proc");
  }
}

/// On /proc itself there is a procfs as a whole or nothing.
void require_proc_root(int mount) {
  constexpr ino_t kProcRootInode = 1;
  if (!is_on(mount, PROC_SUPER_MAGIC) || status_of(mount, "/proc").st_ino != kProcRootInode)
    throw os::Error(EPERM, "put anything but a proc file system there");
}

std::uint64_t attach_attributes(const MountStep& step) {
  std::uint64_t attributes = step.options.set_attributes;
  if (step.readonly_later) attributes &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
  return attributes;
}

void set_superblock_options(os::FilesystemContext& context, const MountStep& step) {
  static constexpr std::pair<std::uint64_t, const char*> kFlags[] = {{MS_SYNCHRONOUS, "sync"},
                                                                     {MS_DIRSYNC, "dirsync"},
                                                                     {MS_MANDLOCK, "mand"},
                                                                     {MS_LAZYTIME, "lazytime"},
                                                                     {MS_I_VERSION, "iversion"}};
  for (const auto& [flag, name] : kFlags)
    if ((step.options.superblock_flags & flag) != 0) context.set_flag(name);
  // The runtime itself writes through procfs.
  if ((attach_attributes(step) & MOUNT_ATTR_RDONLY) != 0 && step.type != "proc")
    context.set_flag("ro");
  for (const std::string& option : step.options.data) {
    const auto equals = option.find('=');
    if (equals == std::string::npos) {
      context.set_flag(option);
    } else if (option.starts_with("lowerdir+=")) {
      context.set_directory("lowerdir+", option.substr(equals + 1));
    } else {
      context.set_string(option.substr(0, equals), option.substr(equals + 1));
    }
  }
}

bool has_mode(const MountStep& step) {
  for (const std::string& option : step.options.data)
    if (option.starts_with("mode=")) return true;
  return false;
}

/// A tmpfs without a mode takes that of the directory it covers.
void keep_mode(os::FilesystemContext& context, int root, const MountStep& step) {
  if (step.type != "tmpfs" || has_mode(step)) return;
  try {
    const os::UniqueFd covered = os::open_in_root(root, step.destination, O_PATH | O_DIRECTORY);
    char mode[16];
    std::snprintf(mode, sizeof mode, "%o",
                  status_of(covered.get(), step.destination).st_mode & 07777);
    context.set_string("mode", mode);
  } catch (const os::Error& error) {
    if (error.code() != ENOENT) throw;
  }
}

os::UniqueFd make_filesystem(int root, const MountStep& step) {
  os::FilesystemContext context(step.type);
  if (!step.source.empty()) context.set_string("source", step.source);
  keep_mode(context, root, step);
  set_superblock_options(context, step);
  return context.mount(attach_attributes(step));
}

os::UniqueFd mount_filesystem(int root, const MountStep& step, std::optional<Procfs>& procfs) {
  if (step.options.tmpcopyup) throw os::Error(EOPNOTSUPP, "use the mount option tmpcopyup");
  os::UniqueFd mount = make_filesystem(root, step);
  if (step.destination == "/proc") require_proc_root(mount.get());
  if (step.type == "proc" && !procfs) procfs = Procfs::from_mount(mount.get());
  attach_in_root(root, mount.get(), step.destination, true);
  if (step.options.propagation != 0)
    os::set_mount_attributes(mount.get(), 0, 0, step.options.propagation,
                             step.options.propagation_recursive, step.destination);
  return mount;
}

}  // namespace

std::map<std::string, std::string> parse_subpaths(const std::string& text) {
  if (text.empty()) return {};
  const std::string name = "annotation " + std::string(kSubpathsAnnotation);
  try {
    return container::parse_json(text, name).get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::exception& error) {
    throw os::Error(name + ": " + error.what());
  }
}

namespace {

/// A volume's subpath goes through directories that other containers may change at any moment, so
/// it is resolved below the volume and cloned by descriptor.
os::UniqueFd clone_source(const MountStep& step, const std::string& source) {
  if (step.subpath.empty()) return os::clone_mount(AT_FDCWD, source, step.options.recursive_bind);
  const os::UniqueFd volume = os::open_file(source, O_PATH | O_DIRECTORY);
  const os::UniqueFd part = os::open_in_root(volume.get(), step.subpath, O_PATH);
  return os::clone_mount(part.get(), "", step.options.recursive_bind);
}

}  // namespace

os::UniqueFd open_source(const MountStep& step, const std::string& bundle) {
  if (!step.options.bind) return {};
  const std::string source =
      step.source.starts_with('/') ? step.source : bundle + "/" + step.source;
  const container::MountOptions& options = step.options;
  os::UniqueFd mount = clone_source(step, source);
  if (!step.uid_mappings.empty() || !step.gid_mappings.empty())
    map_mount_ids(mount.get(), step.uid_mappings, step.gid_mappings, options.recursive_idmap);
  if ((options.recursive_set_attributes | options.recursive_clear_attributes) != 0)
    os::set_mount_attributes(mount.get(), options.recursive_set_attributes,
                             options.recursive_clear_attributes, 0, true, source);
  if ((options.set_attributes | options.clear_attributes) != 0)
    os::set_mount_attributes(mount.get(), options.set_attributes, options.clear_attributes, 0,
                             false, source);
  const bool asked = options.propagation != 0;
  os::set_mount_attributes(mount.get(), 0, 0,
                           asked ? options.propagation : std::uint64_t{MS_PRIVATE},
                           !asked || options.propagation_recursive, source);
  return mount;
}

void attach_in_root(int root, int mount, const std::string& destination, bool directory) {
  const os::UniqueFd target = directory ? os::make_mount_point(root, destination, true)
                                        : open_file_place(root, destination);
  check_kernel_places(root, target.get(), destination);
  os::attach_mount(mount, target.get(), destination);
  const os::UniqueFd arrived = os::open_in_root(root, destination, O_PATH);
  if (mount_id(arrived.get(), destination) != mount_id(mount, destination))
    throw os::Error("mount on '" + destination + "': the place was changed meanwhile");
}

os::UniqueFd mount_in_root(int root, const MountStep& step, os::UniqueFd source,
                           std::optional<Procfs>& procfs) {
  try {
    if (!step.options.bind) return mount_filesystem(root, step, procfs);
    const bool directory = S_ISDIR(status_of(source.get(), step.source).st_mode);
    if (step.destination == "/proc") require_proc_root(source.get());
    attach_in_root(root, source.get(), step.destination, directory);
    return source;
  } catch (const os::Error& error) {
    throw error.in("mount " + (step.options.bind ? "'" + step.source + "'" : step.type) + " on '" +
                   step.destination + "'");
  }
}

}  // namespace monitor
