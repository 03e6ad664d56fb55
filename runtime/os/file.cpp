#include "runtime/os/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "runtime/os/error.hpp"

namespace os {

std::string read_file(const std::string& path, std::size_t limit) {
  return read_all(open_file(path, O_RDONLY).get(), limit, path);
}

std::optional<std::string> read_file_if_exists(const std::string& path, std::size_t limit) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw Error(errno, "open '" + path + "'");
  }
  return read_all(fd.get(), limit, path);
}

namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

void sync_fd(int fd, const std::string& name) {
  check(::fsync(fd), [&] { return "sync '" + name + "'"; });
}

}  // namespace

void write_file_atomic(const std::string& path, std::string_view data, mode_t mode,
                       Durability durability) {
  std::string temporary = path + ".XXXXXX";
  UniqueFd fd(check(::mkostemp(temporary.data(), O_CLOEXEC),
                    [&] { return "create a file beside '" + path + "'"; }));
  try {
    write_all(fd.get(), data, temporary);
    check(::fchmod(fd.get(), mode), [&] { return "set the mode of '" + temporary + "'"; });
    if (durability == Durability::synced) sync_fd(fd.get(), temporary);
    check(::rename(temporary.c_str(), path.c_str()),
          [&] { return "rename '" + temporary + "' to '" + path + "'"; });
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  if (durability == Durability::synced) {
    const std::string parent = parent_of(path);
    sync_fd(open_file(parent, O_RDONLY | O_DIRECTORY).get(), parent);
  }
}

void write_to(const std::string& path, std::string_view data) {
  const UniqueFd fd = open_file(path, O_WRONLY);
  const ssize_t n = ::write(fd.get(), data.data(), data.size());
  check(n, [&] { return "write '" + std::string(data) + "' to '" + path + "'"; });
  if (static_cast<std::size_t>(n) != data.size()) throw Error(EIO, "write to '" + path + "'");
}

void make_directories(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return;
  if (errno == EEXIST) {
    struct stat status {};
    check(::stat(path.c_str(), &status), [&] { return "look at '" + path + "'"; });
    if (!S_ISDIR(status.st_mode)) throw Error(ENOTDIR, "make directory '" + path + "'");
    return;
  }
  if (errno != ENOENT) throw Error(errno, "make directory '" + path + "'");
  const std::string parent = parent_of(path);
  if (parent == path || parent == ".") throw Error(ENOENT, "make directory '" + path + "'");
  make_directories(parent, mode);
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    throw Error(errno, "make directory '" + path + "'");
}

namespace {

/// Remembers the first failure and goes on, for removal must take away all that it can.
class FirstError {
 public:
  void note(int errnum, const std::string& tried) {
    if (errnum != ENOENT && !first_) first_.emplace(errnum, tried);
  }
  void rethrow() const {
    if (first_) throw *first_;
  }

 private:
  std::optional<Error> first_;
};

void remove_entry(int parent, const char* name, dev_t device, const std::string& path,
                  FirstError& failed);

void empty_directory(UniqueFd directory, dev_t device, const std::string& path,
                     FirstError& failed) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(directory.get()), &::closedir);
  if (!stream) return failed.note(errno, "list '" + path + "'");
  const int fd = directory.release();  // the stream owns it now
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    remove_entry(fd, entry->d_name, device, path + "/" + entry->d_name, failed);
  }
}

void remove_entry(int parent, const char* name, dev_t device, const std::string& path,
                  FirstError& failed) {
  if (::unlinkat(parent, name, 0) == 0) return;
  if (errno != EISDIR && errno != EPERM) return failed.note(errno, "remove '" + path + "'");
  UniqueFd directory(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return failed.note(errno, "open '" + path + "'");
  struct stat status {};
  if (::fstat(directory.get(), &status) != 0) return failed.note(errno, "look at '" + path + "'");
  if (status.st_dev != device)
    return failed.note(EXDEV, "remove '" + path + "', which is on another file system");
  empty_directory(std::move(directory), device, path, failed);
  if (::unlinkat(parent, name, AT_REMOVEDIR) != 0) failed.note(errno, "remove '" + path + "'");
}

}  // namespace

void remove_tree(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return;
    throw Error(errno, "look at '" + path + "'");
  }
  FirstError failed;
  remove_entry(AT_FDCWD, path.c_str(), status.st_dev, path, failed);
  failed.rethrow();
}

std::vector<std::string> list_directory(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(path.c_str()), &::closedir);
  if (!stream) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    throw Error(errno, "list '" + path + "'");
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

namespace {

/// The lock's file may be removed by its last holder, so what was locked must still be at the path.
bool still_at(const UniqueFd& fd, const std::string& path) {
  struct stat held {};
  struct stat named {};
  return ::fstat(fd.get(), &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

}  // namespace

FileLock FileLock::wait_for(const std::string& path, int operation) {
  for (;;) {
    UniqueFd fd = open_file(path, O_RDWR | O_CREAT, 0600);
    int locked = 0;
    do {
      locked = ::flock(fd.get(), operation);
    } while (locked != 0 && errno == EINTR);
    check(locked, [&] { return "lock '" + path + "'"; });
    if (still_at(fd, path)) return FileLock(std::move(fd));
  }
}

FileLock FileLock::acquire(const std::string& path) { return wait_for(path, LOCK_EX); }

FileLock FileLock::acquire_shared(const std::string& path) { return wait_for(path, LOCK_SH); }

std::optional<FileLock> FileLock::try_acquire(const std::string& path) {
  for (;;) {
    UniqueFd fd = open_file(path, O_RDWR | O_CREAT, 0600);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::nullopt;
      throw Error(errno, "lock '" + path + "'");
    }
    if (still_at(fd, path)) return FileLock(std::move(fd));
  }
}

TempDir::TempDir(const std::string& parent, const std::string& prefix)
    : path_(parent + "/" + prefix + "XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr)
    throw Error(errno, "make a temporary directory in '" + parent + "'");
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  try {
    remove_tree(path_);
  } catch (const Error&) {
    // A destructor has nobody to tell; what is left lies in a temporary directory.
  }
}

}  // namespace os
