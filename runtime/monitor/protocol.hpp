// How stack-runtime and the child that becomes a container's process keep step while the container
// is made. One SOCK_SEQPACKET pair, close-on-exec at both ends, so that the end of the stream after
// Run means that the program was executed.
//
//   [ stack-runtime ]                           [ child ]
//   clone3; cgroups, id maps, limits
//   Go                                     -->
//                                               joins namespaces, forks if one demands it
//                                          <--  Joined{pid} + pidfd
//   createRuntime hooks; Apply{pid}        -->
//                                               mounts, devices, pivot, identity, lookup
//                                          <--  Terminal + fd             only with a terminal
//                                          <--  Ready
//   Run                                    -->
//                                               startContainer hooks, execve
//                                          <--  end of stream | Failed{stage, errno, text}
//
// Failed may come at any point before the end. When `create` and `start` are two processes, the
// child accepts a connection on its gate after Ready, and Run and the answer go over that.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/monitor/stage.hpp"
#include "runtime/os/fd.hpp"

namespace monitor {

enum class Signal : std::uint8_t { go = 1, joined, apply, terminal, ready, run, failed };

/// One message of the protocol, as it travels.
struct SyncMessage {
  Signal signal = Signal::go;
  pid_t pid = 0;    ///< joined: as the child that forked sees it; apply: as the host does
  Failure failure;  ///< failed
  os::UniqueFd fd;  ///< joined: pidfd; terminal: the master
};

std::string encode(const SyncMessage& message);
/// Throws os::Error on anything that is no message of this protocol.
SyncMessage decode(const std::string& data);

/// The order of messages as a state machine without a socket; both ends run one.
class Handshake {
 public:
  enum class Phase : std::uint8_t { cloned, told_to_go, joined, applying, ready, running, failed };

  explicit Handshake(bool terminal) : wants_terminal_(terminal) {}
  /// Takes note of a message in either direction. Throws os::Error when it is not its turn.
  void on(Signal signal);
  Phase phase() const noexcept { return phase_; }

 private:
  Phase phase_ = Phase::cloned;
  bool wants_terminal_;
};

/// One end of the socket pair with its handshake.
class SyncChannel {
 public:
  SyncChannel(os::UniqueFd socket, bool terminal)
      : socket_(std::move(socket)), handshake_(terminal) {}

  void send(SyncMessage message);
  void send(Signal signal) {
    send(SyncMessage{.signal = signal, .pid = 0, .failure = {}, .fd = {}});
  }
  /// The next message, whatever it is; nothing at the end of the stream. Throws os::Error
  /// (ETIMEDOUT) after `timeout`, a negative one waits for ever.
  std::optional<SyncMessage> receive(std::chrono::milliseconds timeout);
  /// The next message, which must be `signal`. Throws StageError when the peer failed, os::Error
  /// (EPIPE) when it is gone.
  SyncMessage expect(Signal signal, std::chrono::milliseconds timeout);

  int fd() const noexcept { return socket_.get(); }
  /// A message that the same process sent before it forked.
  void note(Signal signal) { handshake_.on(signal); }
  /// Goes on over another socket: the one that came through the gate.
  void replace(os::UniqueFd socket) { socket_ = std::move(socket); }
  os::UniqueFd release() { return std::move(socket_); }

 private:
  os::UniqueFd socket_;
  Handshake handshake_;
};

}  // namespace monitor
