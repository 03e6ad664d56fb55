#include "runtime/monitor/protocol.hpp"

#include <poll.h>

#include <cstring>

#include "runtime/os/channel.hpp"
#include "runtime/os/error.hpp"

namespace monitor {

namespace {

constexpr std::size_t kMaxText = 1024;

struct Header {
  std::uint8_t signal;
  std::uint8_t reserved;
  std::uint16_t stage;
  std::int32_t errnum;
  std::int32_t pid;
};

}  // namespace

std::string encode(const SyncMessage& message) {
  const Header header{.signal = static_cast<std::uint8_t>(message.signal),
                      .reserved = 0,
                      .stage = static_cast<std::uint16_t>(message.failure.stage),
                      .errnum = message.failure.errnum,
                      .pid = message.pid};
  std::string data(sizeof header, '\0');
  std::memcpy(data.data(), &header, sizeof header);
  return data + message.failure.message.substr(0, kMaxText);
}

SyncMessage decode(const std::string& data) {
  Header header{};
  if (data.size() < sizeof header || data.size() > sizeof header + kMaxText)
    throw os::Error(EBADMSG, "read a message of the container's child");
  std::memcpy(&header, data.data(), sizeof header);
  if (header.signal < static_cast<std::uint8_t>(Signal::go) ||
      header.signal > static_cast<std::uint8_t>(Signal::failed))
    throw os::Error(EBADMSG, "read a message of the container's child");
  SyncMessage message;
  message.signal = static_cast<Signal>(header.signal);
  message.pid = header.pid;
  message.failure = {static_cast<Stage>(header.stage), header.errnum, data.substr(sizeof header)};
  return message;
}

void Handshake::on(Signal signal) {
  using enum Phase;
  const auto next = [&]() -> std::optional<Phase> {
    if (phase_ == failed) return std::nullopt;
    switch (signal) {
      case Signal::go:
        return phase_ == cloned ? std::optional(told_to_go) : std::nullopt;
      case Signal::joined:
        return phase_ == told_to_go ? std::optional(joined) : std::nullopt;
      case Signal::apply:
        return phase_ == joined ? std::optional(applying) : std::nullopt;
      case Signal::terminal:
        return phase_ == applying && std::exchange(wants_terminal_, false) ? std::optional(applying)
                                                                           : std::nullopt;
      case Signal::ready:
        return phase_ == applying && !wants_terminal_ ? std::optional(ready) : std::nullopt;
      case Signal::run:
        return phase_ == ready ? std::optional(running) : std::nullopt;
      case Signal::failed:
        return failed;
    }
    return std::nullopt;
  }();
  if (!next)
    throw os::Error(EPROTO, "take message " + std::to_string(static_cast<int>(signal)) +
                                " in phase " + std::to_string(static_cast<int>(phase_)));
  phase_ = *next;
}

void SyncChannel::send(SyncMessage message) {
  handshake_.on(message.signal);
  std::vector<int> fds;
  if (message.fd) fds.push_back(message.fd.get());
  os::send_message(socket_.get(), encode(message), fds);
}

std::optional<SyncMessage> SyncChannel::receive(std::chrono::milliseconds timeout) {
  pollfd entry{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, static_cast<int>(timeout.count()));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) throw os::Error(ETIMEDOUT, "wait for the container's child");
  auto packet = os::receive_message(socket_.get());
  if (!packet) return std::nullopt;
  SyncMessage message = decode(packet->data);
  handshake_.on(message.signal);
  if (!packet->fds.empty()) message.fd = std::move(packet->fds.front());
  return message;
}

SyncMessage SyncChannel::expect(Signal signal, std::chrono::milliseconds timeout) {
  auto message = receive(timeout);
  if (!message) throw os::Error(EPIPE, "wait for the other side of the container's creation");
  if (message->signal == Signal::failed) throw StageError(message->failure);
  if (message->signal != signal) throw os::Error(EPROTO, "wait for the container's child");
  return std::move(*message);
}

}  // namespace monitor
