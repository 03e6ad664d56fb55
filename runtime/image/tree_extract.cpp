#include "runtime/image/tree_extract.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

#include "runtime/image/entry_path.hpp"
#include "runtime/image/tar_stream.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"

namespace image {

namespace {

/// The user's own files and those of containers: as many and as large as the disk takes.
Limits generous() {
  Limits limits;
  limits.bytes = std::int64_t{1} << 50;
  limits.entries = 100'000'000;
  return limits;
}

struct Place {
  os::UniqueFd parent;
  std::string name;
};

class Extractor {
 public:
  Extractor(int root, const std::string& directory, const ExtractOptions& options)
      : root_(root),
        directory_(directory),
        options_(options),
        top_(os::open_in_root(root, directory, O_PATH | O_DIRECTORY)) {}

  void extract(const ByteSource& source) {
    const Utf8Locale names;
    TarStream stream(source, limits_);
    while (archive_entry* entry = stream.next()) take(stream, *entry);
    stream.finish();
  }

 private:
  os::UniqueFd parent_of(const std::string& path) const {
    if (options_.follow_links) return os::make_directories_in_root(root_, directory_ + "/" + path);
    os::UniqueFd current = os::open_in_root(top_.get(), ".", O_PATH | O_DIRECTORY);
    std::istringstream names(path);
    for (std::string name; std::getline(names, name, '/');) {
      if (name.empty()) continue;
      if (::mkdirat(current.get(), name.c_str(), 0755) != 0 && errno != EEXIST)
        throw os::Error(errno, "make directory '" + path + "'");
      current.reset(os::check(
          ::openat(current.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
          [&] { return "go through '" + name + "' of '" + path + "', which is no directory"; }));
    }
    return current;
  }

  Place place_of(const char* path) const {
    const EntryPath cleaned = clean_entry_path(path == nullptr ? "" : path, limits_);
    return {.parent = parent_of(cleaned.parent), .name = cleaned.name};
  }

  void take(TarStream& stream, archive_entry& entry) {
    const Place place = place_of(::archive_entry_pathname(&entry));
    if (place.name.empty()) return;  // the directory itself is there, and stays as it is
    const std::string shown = ::archive_entry_pathname(&entry);
    if (::archive_entry_hardlink(&entry) != nullptr) return link(entry, place, shown);
    switch (::archive_entry_filetype(&entry)) {
      case AE_IFREG:
        return write(stream, entry, place, shown);
      case AE_IFDIR:
        return make_directory(entry, place, shown);
      case AE_IFLNK:
        make_room(place, shown);
        os::check(
            ::symlinkat(::archive_entry_symlink(&entry), place.parent.get(), place.name.c_str()),
            [&] { return "make the link '" + shown + "'"; });
        return dress(entry, place, shown);
      case AE_IFIFO:
        return make_node(entry, place, shown, S_IFIFO);
      case AE_IFCHR:
      case AE_IFBLK:
        if (options_.keep_special) make_node(entry, place, shown, ::archive_entry_filetype(&entry));
        return;
      default:
        return;
    }
  }

  /// Takes away what is not a directory. False when it cannot be: something is mounted there.
  static bool make_room(const Place& place, const std::string& shown) {
    struct stat status {};
    if (::fstatat(place.parent.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return true;
      throw os::Error(errno, "look at '" + shown + "'");
    }
    if (S_ISDIR(status.st_mode))
      throw os::Error("cannot overwrite directory '" + shown + "' with what is none");
    if (::unlinkat(place.parent.get(), place.name.c_str(), 0) == 0 || errno == ENOENT) return true;
    if (errno == EBUSY) return false;
    throw os::Error(errno, "replace '" + shown + "'");
  }

  void write(TarStream& stream, archive_entry& entry, const Place& place,
             const std::string& shown) {
    const int flags = make_room(place, shown) ? O_CREAT | O_EXCL : O_TRUNC | O_NONBLOCK;
    const os::UniqueFd file(os::check(::openat(place.parent.get(), place.name.c_str(),
                                               O_WRONLY | O_NOFOLLOW | O_CLOEXEC | flags, 0600),
                                      [&] { return "make '" + shown + "'"; }));
    while (const auto block = stream.next_block()) {
      for (std::size_t done = 0; done < block->data.size();) {
        const ssize_t n = ::pwrite(file.get(), block->data.data() + done, block->data.size() - done,
                                   block->offset + static_cast<off_t>(done));
        if (n < 0 && errno == EINTR) continue;
        os::check(n, [&] { return "write '" + shown + "'"; });
        done += static_cast<std::size_t>(n);
      }
    }
    os::check(::ftruncate(file.get(), ::archive_entry_size(&entry)),
              [&] { return "set the size of '" + shown + "'"; });
    dress(entry, place, shown);
  }

  void make_directory(archive_entry& entry, const Place& place, const std::string& shown) {
    if (::mkdirat(place.parent.get(), place.name.c_str(), 0700) == 0)
      return dress(entry, place, shown);
    if (errno != EEXIST) throw os::Error(errno, "make directory '" + shown + "'");
    struct stat status {};
    os::check(::fstatat(place.parent.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW),
              [&] { return "look at '" + shown + "'"; });
    const bool may_lead_on = S_ISLNK(status.st_mode) && options_.follow_links;
    if (!S_ISDIR(status.st_mode) && !may_lead_on)
      throw os::Error("cannot overwrite '" + shown + "', which is none, with a directory");
  }

  void make_node(archive_entry& entry, const Place& place, const std::string& shown, mode_t type) {
    make_room(place, shown);
    os::check(::mknodat(place.parent.get(), place.name.c_str(), type | 0600,
                        type == S_IFIFO ? 0 : ::archive_entry_rdev(&entry)),
              [&] { return "make '" + shown + "'"; });
    dress(entry, place, shown);
  }

  void link(archive_entry& entry, const Place& place, const std::string& shown) {
    const Place target = place_of(::archive_entry_hardlink(&entry));
    make_room(place, shown);
    os::check(::linkat(target.parent.get(), target.name.c_str(), place.parent.get(),
                       place.name.c_str(), 0),
              [&] { return "link '" + shown + "'"; });
  }

  void dress(archive_entry& entry, const Place& place, const std::string& shown) const {
    const auto uid = options_.keep_owner ? static_cast<uid_t>(::archive_entry_uid(&entry)) : 0;
    const auto gid = options_.keep_owner ? static_cast<gid_t>(::archive_entry_gid(&entry)) : 0;
    const os::UniqueFd object(
        os::check(::openat(place.parent.get(), place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC),
                  [&] { return "open '" + shown + "'"; }));
    os::check(::fchownat(object.get(), "", uid, gid, AT_EMPTY_PATH),
              [&] { return "set the owner of '" + shown + "'"; });
    if (::archive_entry_filetype(&entry) != AE_IFLNK) {
      // After the owner, whose change takes setuid away.
      const mode_t mask = options_.keep_special ? 07777 : 01777;
      const std::string path = "/proc/self/fd/" + std::to_string(object.get());
      os::check(::chmod(path.c_str(), ::archive_entry_perm(&entry) & mask),
                [&] { return "set the mode of '" + shown + "'"; });
    }
    const timespec times[2] = {
        {.tv_sec = ::archive_entry_mtime(&entry), .tv_nsec = ::archive_entry_mtime_nsec(&entry)},
        {.tv_sec = ::archive_entry_mtime(&entry), .tv_nsec = ::archive_entry_mtime_nsec(&entry)}};
    ::utimensat(object.get(), "", times, AT_EMPTY_PATH);  // a file system may keep no times
  }

  int root_;
  std::string directory_;
  ExtractOptions options_;
  os::UniqueFd top_;
  Limits limits_ = generous();
};

}  // namespace

void extract_tree(const ByteSource& source, int root, const std::string& directory,
                  const ExtractOptions& options) {
  Extractor(root, directory, options).extract(source);
}

}  // namespace image
