#include "runtime/monitor/foreground.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <string_view>

#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"

namespace monitor {

namespace {

/// Our terminal in raw mode; as it was when this goes.
class RawTerminal {
 public:
  RawTerminal() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    raw_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (raw_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }

 private:
  termios before_{};
  bool raw_ = false;
};

os::UniqueFd watch_window() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGWINCH);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  return os::UniqueFd(os::check(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK),
                                [] { return std::string("make a signal descriptor"); }));
}

void copy_size(int master) {
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) ::ioctl(master, TIOCSWINSZ, &size);
}

/// False at the end of `from`.
bool copy(int from, int to) {
  char buffer[16384];
  const ssize_t n = ::read(from, buffer, sizeof buffer);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  os::write_all(to, std::string_view(buffer, static_cast<std::size_t>(n)), "terminal");
  return true;
}

}  // namespace

void serve_terminal(int master) {
  os::set_nonblocking(master, false);
  const RawTerminal raw;
  const os::UniqueFd window = watch_window();
  copy_size(master);
  pollfd entries[] = {{.fd = master, .events = POLLIN, .revents = 0},
                      {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                      {.fd = window.get(), .events = POLLIN, .revents = 0}};
  for (;;) {
    if (::poll(entries, 3, -1) < 0 && errno != EINTR) throw os::Error(errno, "wait for a terminal");
    if (entries[0].revents != 0 && !copy(master, STDOUT_FILENO)) return;
    if (entries[1].revents != 0 && !copy(STDIN_FILENO, master)) entries[1].fd = -1;
    signalfd_siginfo info;
    if (entries[2].revents != 0 && ::read(window.get(), &info, sizeof info) > 0) copy_size(master);
  }
}

}  // namespace monitor
