// Messages between our own processes: Unix sockets that keep message borders (SOCK_SEQPACKET) and
// can carry descriptors (unix(7), SCM_RIGHTS).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/os/fd.hpp"

namespace os {

inline constexpr std::size_t kMaxMessage = 128 * 1024;
inline constexpr std::size_t kMaxMessageFds = 250;

struct Message {
  std::string data;
  std::vector<UniqueFd> fds;
};

/// Two connected ends, close-on-exec.
std::pair<UniqueFd, UniqueFd> make_channel();
/// A listening socket at `path` (mode 0600, replaced when it exists).
UniqueFd listen_channel(const std::string& path);
/// Nothing when nobody listens there (ENOENT, ECONNREFUSED).
std::optional<UniqueFd> connect_channel(const std::string& path);

/// Sends one message whole. Throws Error(EPIPE) when the peer is gone, never raises SIGPIPE;
/// Error(EAGAIN) when the socket is non-blocking and full.
void send_message(int socket, std::string_view data, const std::vector<int>& fds = {});
/// The next message; nothing at the end of the stream. Throws Error(EAGAIN) when non-blocking and
/// empty, Error(EMSGSIZE) when it was cut. Received descriptors are close-on-exec.
std::optional<Message> receive_message(int socket);

}  // namespace os
