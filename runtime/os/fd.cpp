#include "runtime/os/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "runtime/os/error.hpp"

namespace os {

void UniqueFd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Pipe make_pipe() {
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), [] { return std::string("make a pipe"); });
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd open_file(const std::string& path, int flags, mode_t mode) {
  return open_at(AT_FDCWD, path, flags, mode);
}

UniqueFd open_at(int directory, const std::string& path, int flags, mode_t mode) {
  return UniqueFd(check(::openat(directory, path.c_str(), flags | O_CLOEXEC, mode),
                        [&] { return "open '" + path + "'"; }));
}

UniqueFd duplicate(int fd) {
  return UniqueFd(
      check(::fcntl(fd, F_DUPFD_CLOEXEC, 3), [] { return std::string("duplicate a descriptor"); }));
}

std::string read_all(int fd, std::size_t limit, const std::string& name) {
  std::string data;
  char buffer[16384];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    check(n, [&] { return "read '" + name + "'"; });
    if (n == 0) return data;
    if (data.size() + static_cast<std::size_t>(n) > limit)
      throw Error(EFBIG, "read '" + name + "' (limit " + std::to_string(limit) + " bytes)");
    data.append(buffer, static_cast<std::size_t>(n));
  }
}

void write_all(int fd, std::string_view data, const std::string& name) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    check(n, [&] { return "write '" + name + "'"; });
    data.remove_prefix(static_cast<std::size_t>(n));
  }
}

void set_nonblocking(int fd, bool on) {
  const int flags =
      check(::fcntl(fd, F_GETFL), [] { return std::string("read descriptor flags"); });
  check(::fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK),
        [] { return std::string("set descriptor flags"); });
}

}  // namespace os
