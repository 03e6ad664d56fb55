#include "runtime/image/layer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <tuple>

#include "runtime/image/copy.hpp"
#include "runtime/image/entry_path.hpp"
#include "runtime/image/layer_tree.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

using DirectoryRef = LayerTree::DirectoryRef;

/// An entry's attributes, checked.
struct Attributes {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;
  timespec modified{};
};

std::uint32_t owner_id(std::int64_t id, const char* kind) {
  if (id < 0 || id >= UINT32_MAX)
    throw os::Error(std::string("its ") + kind + " " + std::to_string(id) + " is out of range");
  return static_cast<std::uint32_t>(id);
}

Attributes attributes_of(archive_entry* entry) {
  Attributes attributes;
  attributes.uid = owner_id(archive_entry_uid(entry), "user id");
  attributes.gid = owner_id(archive_entry_gid(entry), "group id");
  attributes.mode = archive_entry_perm(entry) & 07777;
  attributes.modified.tv_sec = archive_entry_mtime(entry);
  attributes.modified.tv_nsec = archive_entry_mtime_nsec(entry);
  return attributes;
}

/// Unpacks one stream into one tree.
class Unpacker {
 public:
  Unpacker(int directory, const LayerStack& lower, const ByteSource& source, const Limits& limits)
      : tree_(directory, lower, limits), lower_(lower), limits_(limits), stream_(source, limits) {}

  /// Entries are files to add and not changes of a layer.
  void take_as_archive(const std::optional<std::pair<uid_t, gid_t>>& owner) {
    is_layer_ = false;
    owner_ = owner;
  }

  LayerSummary run() {
    if (is_layer_) set_root_attributes();
    while (archive_entry* entry = stream_.next()) {
      const char* name = archive_entry_pathname(entry);
      if (name == nullptr) throw os::Error("an entry of the layer has no readable name");
      try {
        unpack(entry, name);
      } catch (const os::Error& error) {
        throw error.in("entry '" + std::string(name).substr(0, 300) + "' of the layer");
      }
    }
    stream_.finish();
    tree_.set_times();
    return {stream_.digest(), stream_.bytes(), stream_.entries(), skipped_xattrs_,
            stream_.compression()};
  }

 private:
  /// An archive need not hold its root: that of the layers below goes on then.
  void set_root_attributes() {
    const DirectoryRef root = tree_.directory("");
    if (lower_.empty()) {
      os::check(::fchmod(root->fd.get(), 0755), [] { return "set the mode of the root"; });
      return;
    }
    const LayerStack::Node below = lower_.root();
    copy_attributes(below.top(), below.status, root->fd.get(), "/");
    tree_.set_time_later(*root, below.status.st_mtim);
  }

  void unpack(archive_entry* entry, const char* name) {
    const EntryPath path = clean_entry_path(name, limits_);
    std::string target;
    if (!is_layer_ && (path.is_root() || whiteout_mark(path.name, target) != Mark::none)) return;
    switch (whiteout_mark(path.name, target)) {
      case Mark::ignored:
        return;
      case Mark::opaque:
        return tree_.make_opaque(*tree_.directory(path.parent));
      case Mark::whiteout:
        return tree_.white_out(*tree_.directory(path.parent), target);
      case Mark::none:
        break;
    }
    if (const char* link = archive_entry_hardlink(entry)) return hard_link(path, link);
    Attributes attributes = attributes_of(entry);
    if (owner_) std::tie(attributes.uid, attributes.gid) = *owner_;
    if (!is_layer_) attributes.modified.tv_nsec = 0;
    switch (archive_entry_filetype(entry)) {
      case AE_IFDIR:
        return directory(entry, path, attributes);
      case AE_IFREG:
        return regular(entry, path, attributes);
      case AE_IFLNK:
        return symbolic_link(entry, path, attributes);
      case AE_IFCHR:
      case AE_IFBLK:
      case AE_IFIFO:
        return special(entry, path, attributes);
      case AE_IFSOCK:
        return;  // means nothing without the process that listens
      default:
        throw os::Error("its type is unknown");
    }
  }

  /// The parent, with nothing of this layer at the entry's own place.
  DirectoryRef place_for(const EntryPath& path) {
    if (path.is_root()) throw os::Error("the root must be a directory");
    DirectoryRef parent = tree_.directory(path.parent);
    tree_.clear_place(*parent, path.name);
    return parent;
  }

  void directory(archive_entry* entry, const EntryPath& path, const Attributes& attributes) {
    const DirectoryRef made = path.is_root()
                                  ? tree_.directory("")
                                  : tree_.make_directory(*tree_.directory(path.parent), path.name);
    set_attributes(entry, made->fd.get(), attributes);
    tree_.set_time_later(*made, attributes.modified);
  }

  void regular(archive_entry* entry, const EntryPath& path, const Attributes& attributes) {
    const std::int64_t size = archive_entry_size(entry);
    if (size < 0 || size > limits_.bytes - file_bytes_)
      throw os::Error(
          EFBIG, "unpack files of more than " + std::to_string(limits_.bytes) + " bytes together");
    file_bytes_ += size;
    const DirectoryRef parent = place_for(path);
    const os::UniqueFd fd =
        os::open_at(parent->fd.get(), path.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    write_content(fd.get(), size, path.name);
    set_attributes(entry, fd.get(), attributes);
    const std::array<timespec, 2> times{attributes.modified, attributes.modified};
    os::check(::futimens(fd.get(), times.data()), [] { return "set its times"; });
  }

  void write_content(int fd, std::int64_t size, const std::string& name) {
    std::int64_t end = 0;
    while (const auto block = stream_.next_block()) {
      std::string_view data = block->data;
      std::int64_t offset = block->offset;
      if (offset < 0 || offset > size || static_cast<std::int64_t>(data.size()) > size - offset)
        throw os::Error("its content is larger than its size");
      while (!data.empty()) {
        const ssize_t n = os::check(::pwrite(fd, data.data(), data.size(), offset),
                                    [&] { return "write '" + name + "'"; });
        data.remove_prefix(static_cast<std::size_t>(n));
        offset += n;
      }
      end = std::max(end, offset);
    }
    if (end < size)
      os::check(::ftruncate(fd, size), [&] { return "set the size of '" + name + "'"; });
  }

  void set_attributes(archive_entry* entry, int fd, const Attributes& attributes) {
    os::check(::fchown(fd, attributes.uid, attributes.gid), [] { return "set its owner"; });
    set_xattrs(entry, fd);
    // After the owner, for chown(2) takes set-user-ID away.
    os::check(::fchmod(fd, attributes.mode), [] { return "set its mode"; });
  }

  void set_xattrs(archive_entry* entry, int fd) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
      if (!is_allowed_xattr(name)) {
        ++skipped_xattrs_;
      } else if (::fsetxattr(fd, name, value, size, 0) != 0) {
        if (errno != ENOTSUP) throw os::Error(errno, "set attribute " + std::string(name));
        ++skipped_xattrs_;
      }
    }
  }

  void symbolic_link(archive_entry* entry, const EntryPath& path, const Attributes& attributes) {
    const char* target = archive_entry_symlink(entry);
    if (target == nullptr || *target == '\0') throw os::Error("its link has no target");
    if (std::strlen(target) >= limits_.path) throw os::Error(ENAMETOOLONG, "link");
    const DirectoryRef parent = place_for(path);
    os::check(::symlinkat(target, parent->fd.get(), path.name.c_str()),
              [] { return "make the symbolic link"; });
    set_owner_and_times(*parent, path.name, attributes);
  }

  void special(archive_entry* entry, const EntryPath& path, const Attributes& attributes) {
    const dev_t device = archive_entry_filetype(entry) == AE_IFIFO
                             ? 0
                             : ::makedev(static_cast<unsigned>(archive_entry_rdevmajor(entry)),
                                         static_cast<unsigned>(archive_entry_rdevminor(entry)));
    if (archive_entry_filetype(entry) == AE_IFCHR && device == ::makedev(0, 0))
      throw os::Error("a character device 0:0 would hide files of the layers below");
    const DirectoryRef parent = place_for(path);
    os::check(::mknodat(parent->fd.get(), path.name.c_str(), archive_entry_filetype(entry) | 0600U,
                        device),
              [] { return "make the special file"; });
    set_owner_and_times(*parent, path.name, attributes);
    const os::UniqueFd fd = os::open_at(parent->fd.get(), path.name, O_PATH | O_NOFOLLOW);
    os::check(::chmod(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), attributes.mode),
              [] { return "set its mode"; });
  }

  static void set_owner_and_times(const LayerTree::Directory& parent, const std::string& name,
                                  const Attributes& attributes) {
    os::check(::fchownat(parent.fd.get(), name.c_str(), attributes.uid, attributes.gid,
                         AT_SYMLINK_NOFOLLOW),
              [] { return "set its owner"; });
    const std::array<timespec, 2> times{attributes.modified, attributes.modified};
    os::check(::utimensat(parent.fd.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW),
              [] { return "set its times"; });
  }

  /// A link to a file of this layer, or to one below, which is copied into this layer first.
  void hard_link(const EntryPath& path, const char* link) {
    const EntryPath source = clean_entry_path(link, limits_);
    std::string unused;
    if (source.is_root() || whiteout_mark(source.name, unused) != Mark::none)
      throw os::Error("its hard link names no file");
    const DirectoryRef from = tree_.directory(source.parent);
    auto status = LayerTree::own_entry(*from, source.name);
    if (!status) {
      const auto lower = tree_.lower_entry(*from, source.name);
      if (lower && !lower->is_directory() && copy_file(*lower, from->fd.get(), source.name))
        status = LayerTree::own_entry(*from, source.name);
    }
    if (!status || S_ISDIR(status->st_mode) || is_whiteout(*status))
      throw os::Error(ENOENT, "link to '" + std::string(link).substr(0, 300) + "'");
    const DirectoryRef parent = tree_.directory(path.parent);
    const auto present = LayerTree::own_entry(*parent, path.name);
    if (present && present->st_ino == status->st_ino && present->st_dev == status->st_dev) return;
    const DirectoryRef target = place_for(path);
    // Flags 0: a link that took the source's place is linked itself, never followed.
    os::check(::linkat(from->fd.get(), source.name.c_str(), target->fd.get(), path.name.c_str(), 0),
              [&] { return "link to '" + std::string(link).substr(0, 300) + "'"; });
  }

  LayerTree tree_;
  const LayerStack& lower_;
  Limits limits_;
  TarStream stream_;
  std::int64_t file_bytes_ = 0;
  std::int64_t skipped_xattrs_ = 0;
  bool is_layer_ = true;
  std::optional<std::pair<uid_t, gid_t>> owner_;
};

}  // namespace

LayerSummary unpack_layer(int directory, const LayerStack& lower, const ByteSource& source,
                          const Limits& limits) {
  const Utf8Locale locale;
  return Unpacker(directory, lower, source, limits).run();
}

void unpack_archive(int directory, const LayerStack& lower, const ByteSource& source,
                    const std::optional<std::pair<uid_t, gid_t>>& owner, const Limits& limits) {
  const Utf8Locale locale;
  Unpacker unpacker(directory, lower, source, limits);
  unpacker.take_as_archive(owner);
  unpacker.run();
}

}  // namespace image
