// Files and directories as the state on disk needs them: written beside their place and renamed
// into it, locked, removed as a tree without following links.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/os/fd.hpp"

namespace os {

inline constexpr std::size_t kSmallFile = 16 * 1024 * 1024;

/// The whole file. Throws Error that names the path; EFBIG past `limit` bytes.
std::string read_file(const std::string& path, std::size_t limit = kSmallFile);
/// The whole file, or nothing when it does not exist (ENOENT, ENOTDIR).
std::optional<std::string> read_file_if_exists(const std::string& path,
                                               std::size_t limit = kSmallFile);

enum class Durability { volatile_state, synced };

/// Writes `data` to a new file beside `path` and renames it into place, so that a reader or a crash
/// sees the old or the new content, never a part. `synced` also syncs file and directory.
void write_file_atomic(const std::string& path, std::string_view data, mode_t mode = 0600,
                       Durability durability = Durability::volatile_state);

/// Writes to a file that exists already and is not replaced: /proc, /sys, cgroupfs. One write(2).
void write_to(const std::string& path, std::string_view data);

/// mkdir -p with `mode` for every directory that is made.
void make_directories(const std::string& path, mode_t mode = 0700);

/// rm -rf that stays on one file system, follows no symbolic link, and is content when nothing is
/// there. Throws the first Error after having removed all that could be.
void remove_tree(const std::string& path);

/// Names in a directory without "." and "..", sorted; empty when it does not exist.
std::vector<std::string> list_directory(const std::string& path);

/// Whether something is at `path` (a dangling symbolic link counts).
bool exists(const std::string& path);

/// An advisory lock (flock(2)) on a file made for it; given back by the destructor.
class FileLock {
 public:
  /// Waits for the lock, which nobody else then holds.
  static FileLock acquire(const std::string& path);
  /// Waits for a lock that others may hold the same way, while nobody holds it exclusively.
  static FileLock acquire_shared(const std::string& path);
  /// An exclusive lock; nothing when another process holds it in any way.
  static std::optional<FileLock> try_acquire(const std::string& path);
  int fd() const noexcept { return fd_.get(); }

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  static FileLock wait_for(const std::string& path, int operation);
  UniqueFd fd_;
};

/// A directory below `parent` that is removed with all in it.
class TempDir {
 public:
  explicit TempDir(const std::string& parent = "/tmp", const std::string& prefix = "stack-");
  TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();
  const std::string& path() const noexcept { return path_; }
  /// Leaves the directory in place, for the caller to own.
  [[nodiscard]] std::string release() { return std::exchange(path_, {}); }

 private:
  std::string path_;
};

}  // namespace os
