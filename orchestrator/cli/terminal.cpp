#include "orchestrator/cli/terminal.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <sstream>
#include <utility>

#include "orchestrator/cli/command_line.hpp"

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

DetachKeys::DetachKeys(const std::string& text) {
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    const bool control = item.size() == 6 && item.starts_with("ctrl-");
    const char key = item.empty() ? '\0' : item.back();
    if (control && ((key >= 'a' && key <= 'z') || (key >= '@' && key <= '_')))
      keys_ += static_cast<char>(key & 0x1f);
    else if (item.size() == 1)
      keys_ += key;
    else
      throw UsageError("invalid detach keys \"" + text + "\": use ctrl-p,ctrl-q and the like");
  }
}

std::string DetachKeys::pass(std::string_view typed) {
  std::string through;
  for (const char key : typed) {
    if (complete()) break;
    if (matched_ < keys_.size() && key == keys_[matched_]) {
      ++matched_;
      continue;
    }
    through.append(keys_, 0, std::exchange(matched_, 0));
    if (!keys_.empty() && key == keys_.front())
      matched_ = 1;
    else
      through += key;
  }
  return through;
}

InputPump::InputPump(int far, DetachKeys detach_keys)
    : far_(far), detach_keys_(std::move(detach_keys)) {
  os::set_nonblocking(far);
}

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
      pending_ = detach_keys_.pass({buffer.data(), static_cast<std::size_t>(size)});
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
