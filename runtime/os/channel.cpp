#include "runtime/os/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "runtime/os/error.hpp"

namespace os {

namespace {

UniqueFd make_socket() {
  return UniqueFd(check(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0),
                        [] { return std::string("make a Unix socket"); }));
}

/// The address of a socket in the file system. unix(7) has room for 107 bytes: a longer path is one
/// from its directory, which is open as long as this is there.
class PathAddress {
 public:
  explicit PathAddress(const std::string& path) {
    std::string name = path;
    const auto slash = path.rfind('/');
    if (path.size() >= sizeof address_.sun_path && slash != std::string::npos) {
      directory_ = open_file(path.substr(0, slash + 1), O_PATH | O_DIRECTORY);
      name = "/proc/self/fd/" + std::to_string(directory_.get()) + path.substr(slash);
    }
    if (name.size() >= sizeof address_.sun_path)
      throw Error(ENAMETOOLONG, "use '" + path + "' as a socket path");
    address_.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address_.sun_path);
  }
  const sockaddr_un& get() const noexcept { return address_; }

 private:
  UniqueFd directory_;
  sockaddr_un address_{};
};

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

std::pair<UniqueFd, UniqueFd> make_channel() {
  int ends[2];
  check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends),
        [] { return std::string("make a socket pair"); });
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd listen_channel(const std::string& path) {
  UniqueFd socket = make_socket();
  const PathAddress address(path);
  ::unlink(path.c_str());
  check(::bind(socket.get(), generic(address.get()), sizeof address.get()),
        [&] { return "bind a socket to '" + path + "'"; });
  check(::chmod(path.c_str(), 0600), [&] { return "set the mode of '" + path + "'"; });
  check(::listen(socket.get(), 64), [&] { return "listen on '" + path + "'"; });
  return socket;
}

std::optional<UniqueFd> connect_channel(const std::string& path) {
  UniqueFd socket = make_socket();
  std::optional<PathAddress> address;
  try {
    address.emplace(path);
  } catch (const Error& error) {
    if (error.code() == ENOENT) return std::nullopt;
    throw;
  }
  if (::connect(socket.get(), generic(address->get()), sizeof address->get()) == 0) return socket;
  if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
  throw Error(errno, "connect to '" + path + "'");
}

void send_message(int socket, std::string_view data, const std::vector<int>& fds) {
  if (data.size() > kMaxMessage || fds.size() > kMaxMessageFds)
    throw Error(EMSGSIZE, "send a message of " + std::to_string(data.size()) + " bytes");
  iovec part{.iov_base = const_cast<char*>(data.data()), .iov_len = data.size()};
  std::vector<char> control(fds.empty() ? 0 : CMSG_SPACE(sizeof(int) * fds.size()));
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(item), fds.data(), sizeof(int) * fds.size());
  }
  ssize_t n = 0;
  do {
    n = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  check(n, [] { return std::string("send a message"); });
}

std::optional<Message> receive_message(int socket) {
  char data[kMaxMessage];  // on the stack, where what no message reaches costs nothing
  iovec part{.iov_base = data, .iov_len = sizeof data};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxMessageFds)];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t n = 0;
  do {
    n = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno == ECONNRESET) return std::nullopt;
  check(n, [] { return std::string("receive a message"); });
  Message message;
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(item) + i * sizeof(int), sizeof fd);
      message.fds.emplace_back(fd);
    }
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    throw Error(EMSGSIZE, "receive a message");
  if (n == 0 && message.fds.empty()) return std::nullopt;
  message.data.assign(data, static_cast<std::size_t>(n));
  return message;
}

}  // namespace os
