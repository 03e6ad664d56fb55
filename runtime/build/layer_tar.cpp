#include "runtime/build/layer_tar.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "runtime/build/tar_writer.hpp"
#include "runtime/image/copy.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"

namespace build {

namespace {

using image::LayerStack;

std::vector<std::string> names_in(int directory) {
  os::UniqueFd fd = os::open_at(directory, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), &::closedir);
  if (!stream) throw os::Error(errno, "list a directory of a new layer");
  static_cast<void>(fd.release());  // the stream owns it now
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::map<std::string, std::string> xattrs_of(int fd) {
  std::map<std::string, std::string> result;
  std::array<char, 65536> list;
  const ssize_t length = ::flistxattr(fd, list.data(), list.size());
  for (ssize_t i = 0; i < length;) {
    const std::string name = list.data() + i;
    i += static_cast<ssize_t>(name.size()) + 1;
    if (!image::is_allowed_xattr(name)) continue;
    std::string value(65536, '\0');
    const ssize_t size = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (size < 0) continue;
    value.resize(static_cast<std::size_t>(size));
    result[name] = value;
  }
  return result;
}

class LayerTar {
 public:
  enum class Times { settle, keep };
  LayerTar(Times times, LatestTime latest, const std::function<void(std::string_view)>& sink)
      : times_(times), latest_(latest), writer_(sink) {}

  void run(const std::string& upper, const LayerStack& lower) {
    const os::UniqueFd root = os::open_file(upper, O_RDONLY | O_DIRECTORY);
    std::optional<LayerStack::Node> below;
    if (!lower.empty()) below = lower.root();
    directory(root.get(), "", below);
    writer_.finish();
  }

 private:
  using Inode = std::pair<dev_t, ino_t>;
  using Lower = std::optional<LayerStack::Node>;

  struct Child {
    std::string name;
    struct stat status {};
  };

  void directory(int fd, const std::string& path, const Lower& below) {
    std::vector<Child> children;
    std::set<std::string> removed;
    for (const std::string& name : names_in(fd)) {
      Child child{.name = name};
      os::check(::fstatat(fd, name.c_str(), &child.status, AT_SYMLINK_NOFOLLOW),
                [&] { return "look at '" + path + name + "'"; });
      if (!image::is_whiteout(child.status))
        children.push_back(std::move(child));
      else if (below && LayerStack::child(*below, name))
        removed.insert(name);
    }
    if (below && image::is_opaque(fd)) remove_lower(*below, children, removed);
    for (const std::string& name : removed) {
      TarEntry entry;
      entry.path = path + ".wh." + name;
      writer_.begin(entry);
      writer_.end_entry();
    }
    const bool opaque = image::is_opaque(fd);
    for (const Child& child : children) {
      Lower lower;
      if (below && !opaque) lower = LayerStack::child(*below, child.name);
      add(fd, path, child, lower);
    }
  }

  /// An opaque directory hides all that is below: a whiteout each for what it does not have itself.
  static void remove_lower(const LayerStack::Node& below, const std::vector<Child>& children,
                           std::set<std::string>& removed) {
    for (const std::string& name : LayerStack::names(below))
      if (std::none_of(children.begin(), children.end(),
                       [&](const Child& child) { return child.name == name; }))
        removed.insert(name);
  }

  void add(int parent, const std::string& path, const Child& child, const Lower& below) {
    const struct stat& status = child.status;
    if (S_ISSOCK(status.st_mode)) return;  // means nothing without the process that listens
    TarEntry entry;
    entry.path = path + child.name;
    entry.mode = status.st_mode & 07777;
    entry.uid = status.st_uid;
    entry.gid = status.st_gid;
    entry.modified = settle_time(parent, child);
    if (S_ISDIR(status.st_mode)) return add_directory(parent, entry, child, below);
    if (status.st_nlink > 1 && !S_ISDIR(status.st_mode)) {
      const auto [first, is_new] =
          links_.try_emplace(Inode{status.st_dev, status.st_ino}, entry.path);
      if (!is_new) {
        entry.type = '1';
        entry.link = first->second;
        writer_.begin(entry);
        return;
      }
    }
    if (S_ISREG(status.st_mode)) return add_file(parent, entry, child);
    if (S_ISLNK(status.st_mode)) {
      const os::UniqueFd link = os::open_at(parent, child.name, O_PATH | O_NOFOLLOW);
      entry.type = '2';
      entry.mode = 0777;
      entry.link = image::read_link(link.get(), child.name);
    } else {
      entry.type = S_ISCHR(status.st_mode) ? '3' : S_ISBLK(status.st_mode) ? '4' : '6';
      if (entry.type != '6') {
        entry.major = major(status.st_rdev);
        entry.minor = minor(status.st_rdev);
      }
    }
    writer_.begin(entry);
  }

  void add_directory(int parent, TarEntry& entry, const Child& child, const Lower& below) {
    const os::UniqueFd fd = os::open_at(parent, child.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    entry.path += "/";
    entry.type = '5';
    entry.xattrs = xattrs_of(fd.get());
    const bool same_kind = below && below->is_directory();
    // A directory that is there for what lies in it alone says nothing new.
    if (!same_kind || image::is_opaque(fd.get()) || !is_unchanged(child.status, entry, *below))
      writer_.begin(entry);
    directory(fd.get(), entry.path, same_kind ? below : kNothing);
  }

  static bool is_unchanged(const struct stat& status, const TarEntry& entry,
                           const LayerStack::Node& below) {
    const struct stat& lower = below.status;
    return lower.st_mode == status.st_mode && lower.st_uid == status.st_uid &&
           lower.st_gid == status.st_gid && lower.st_mtim.tv_sec == entry.modified &&
           xattrs_of(below.top()) == entry.xattrs;
  }

  void add_file(int parent, TarEntry& entry, const Child& child) {
    const os::UniqueFd fd = os::open_at(parent, child.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    entry.size = child.status.st_size;
    entry.xattrs = xattrs_of(fd.get());
    writer_.begin(entry);
    std::int64_t left = entry.size;
    while (left > 0) {
      const ssize_t n = os::check(::read(fd.get(), buffer_.data(),
                                         std::min(buffer_.size(), static_cast<std::size_t>(left))),
                                  [&] { return "read '" + entry.path + "'"; });
      if (n == 0) throw os::Error("'" + entry.path + "' became shorter while it was read");
      writer_.content({buffer_.data(), static_cast<std::size_t>(n)});
      left -= n;
    }
    writer_.end_entry();
  }

  /// Gives the file the time that the archive says, so that the unpacked layer is the same.
  std::int64_t settle_time(int parent, const Child& child) const {
    const timespec modified = child.status.st_mtim;
    std::int64_t seconds = modified.tv_sec;
    if (times_ == Times::keep) return seconds;
    if (latest_ && seconds > *latest_) seconds = *latest_;
    if (seconds != modified.tv_sec || modified.tv_nsec != 0) {
      const timespec time{.tv_sec = seconds, .tv_nsec = 0};
      const std::array<timespec, 2> times{time, time};
      os::check(::utimensat(parent, child.name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW),
                [&] { return "set the times of '" + child.name + "'"; });
    }
    return seconds;
  }

  static inline const Lower kNothing;
  Times times_;
  LatestTime latest_;
  TarWriter writer_;
  std::map<Inode, std::string> links_;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
};

}  // namespace

void write_layer_tar(const std::string& upper, const LayerStack& lower, LatestTime latest,
                     const std::function<void(std::string_view)>& sink) {
  LayerTar(LayerTar::Times::settle, latest, sink).run(upper, lower);
}

void write_tree_tar(const std::string& directory,
                    const std::function<void(std::string_view)>& sink) {
  LayerTar(LayerTar::Times::keep, std::nullopt, sink).run(directory, LayerStack({}));
}

}  // namespace build
