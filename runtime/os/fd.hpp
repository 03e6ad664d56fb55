// Ownership of file descriptors and whole reads and writes on them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace os {

/// Owns one file descriptor and closes it.
class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

/// A pipe with both ends close-on-exec (pipe2(2)).
struct Pipe {
  UniqueFd read;
  UniqueFd write;
};
Pipe make_pipe();

/// open(2) with O_CLOEXEC added; throws Error that names `path`.
UniqueFd open_file(const std::string& path, int flags, mode_t mode = 0);
/// openat(2) with O_CLOEXEC added; throws Error that names `path`.
UniqueFd open_at(int directory, const std::string& path, int flags, mode_t mode = 0);
/// A duplicate that is close-on-exec.
UniqueFd duplicate(int fd);

/// Everything up to end of file. Throws Error(EFBIG) past `limit` bytes, so that a hostile or
/// endless file cannot fill memory. `name` is for the message.
std::string read_all(int fd, std::size_t limit, const std::string& name);
/// Writes all of `data`, whatever the kernel takes at once.
void write_all(int fd, std::string_view data, const std::string& name);

/// Turns O_NONBLOCK on or off.
void set_nonblocking(int fd, bool on = true);

}  // namespace os
