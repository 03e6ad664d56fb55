#include "orchestrator/cli/terminal.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace cli {

RawTerminal::RawTerminal() {
  if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
  termios raw = before_;
  ::cfmakeraw(&raw);
  changed_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

RawTerminal::~RawTerminal() {
  if (changed_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

std::optional<winsize> terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return std::nullopt;
  return size;
}

InputPump::InputPump(int far) : far_(far) { os::set_nonblocking(far); }

pollfd InputPump::wake() const {
  if (broken_ || (input_ended_ && pending_.empty())) return {-1, 0, 0};
  if (!pending_.empty()) return {far_, POLLOUT, 0};
  return {STDIN_FILENO, POLLIN, 0};
}

bool InputPump::move() {
  if (broken_ || told_) return true;
  const pollfd wanted = wake();
  pollfd now = wanted;
  if (wanted.fd == STDIN_FILENO && ::poll(&now, 1, 0) > 0) {
    std::array<char, 16384> buffer;
    const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size > 0)
      pending_.assign(buffer.data(), static_cast<std::size_t>(size));
    else if (size == 0 || (errno != EAGAIN && errno != EINTR))
      input_ended_ = true;
  }
  while (!pending_.empty()) {
    const ssize_t size = ::write(far_, pending_.data(), pending_.size());
    if (size < 0) {
      if (errno == EINTR) continue;
      broken_ = errno != EAGAIN;
      return true;
    }
    pending_.erase(0, static_cast<std::size_t>(size));
  }
  told_ = input_ended_;
  return !told_;
}

}  // namespace cli
