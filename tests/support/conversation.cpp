#include "tests/support/conversation.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "runtime/os/error.hpp"
#include "tests/support/command.hpp"
#include "tests/support/http.hpp"

namespace support {

namespace {

constexpr std::size_t kBlock = 8192;

}  // namespace

Conversation::Conversation(const std::string& host, int port, int connections) {
  for (int i = 0; i < connections; ++i) {
    sockets_.push_back(open_connection(host, port, kPatience));
    if (!sockets_.back()) throw os::Error("nobody answers at " + host + ":" + std::to_string(port));
  }
  thread_ = std::thread([this] { talk(); });
}

Conversation::~Conversation() {
  stop_ = true;
  thread_.join();
}

std::string Conversation::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

bool Conversation::goes_on() const {
  const std::uint64_t begin = rounds_;
  return wait_until([&] { return rounds_ >= begin + 2 || !broken().empty(); }) && broken().empty();
}

void Conversation::talk() {
  for (std::uint64_t round = 1; !stop_; ++round) {
    for (const os::UniqueFd& socket : sockets_)
      if (!exchange(socket.get(), round)) return;
    rounds_ = round;
    std::this_thread::sleep_for(milliseconds(1));
  }
}

bool Conversation::exchange(int socket, std::uint64_t round) {
  std::array<char, kBlock> block{}, back{};
  std::memset(block.data(), static_cast<int>('a' + round % 26), block.size());
  std::string what;
  if (::send(socket, block.data(), block.size(), MSG_NOSIGNAL) < 0)
    what = std::string("send: ") + std::strerror(errno);
  for (std::size_t have = 0; what.empty() && have < back.size();) {
    const ssize_t size = ::recv(socket, back.data() + have, back.size() - have, 0);
    if (size > 0) have += static_cast<std::size_t>(size);
    if (size == 0) what = "the other side has closed it";
    if (size < 0) what = std::string("receive: ") + std::strerror(errno);
  }
  if (what.empty() && block != back) what = "other bytes came back";
  if (what.empty()) return true;
  const std::lock_guard lock(mutex_);
  broken_ = what + " in round " + std::to_string(round);
  return false;
}

}  // namespace support
