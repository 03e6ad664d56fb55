#include "runtime/monitor/console.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstring>

#include "runtime/monitor/mounts.hpp"
#include "runtime/os/channel.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"

namespace monitor {

namespace {

constexpr ino_t kMultiplexerInode = 2;

void require_multiplexer(int fd) {
  struct stat status {};
  struct statfs filesystem {};
  os::check(::fstat(fd, &status), [] { return std::string("look at '/dev/pts/ptmx'"); });
  os::check(::fstatfs(fd, &filesystem), [] { return std::string("look at '/dev/pts/ptmx'"); });
  if (filesystem.f_type != DEVPTS_SUPER_MAGIC || status.st_ino != kMultiplexerInode ||
      !S_ISCHR(status.st_mode) || status.st_rdev != makedev(5, 2))
    throw os::Error(ENOTTY, "use '/dev/pts/ptmx' of the container");
}

}  // namespace

Terminal open_terminal(int root, const container::Process& process) {
  require_multiplexer(os::open_in_root(root, "/dev/pts/ptmx", O_PATH | O_NOFOLLOW).get());
  Terminal terminal;
  terminal.master =
      os::open_in_root(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
  require_multiplexer(terminal.master.get());  // it may have been swapped since
  int unlock = 0;
  os::check(::ioctl(terminal.master.get(), TIOCSPTLCK, &unlock),
            [] { return std::string("unlock a pseudo terminal"); });
  terminal.peer = os::UniqueFd(
      os::check(::ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
                [] { return std::string("open the peer of a pseudo terminal"); }));
  if (process.console_size)
    set_terminal_size(terminal.master.get(), process.console_size->height,
                      process.console_size->width);
  return terminal;
}

void mount_console(int root, const Terminal& terminal) {
  const os::UniqueFd mount = os::clone_mount(terminal.peer.get(), "", false);
  attach_in_root(root, mount.get(), "/dev/console", false);
}

void use_terminal(const Terminal& terminal) {
  const int peer = terminal.peer.get();
  os::check(::ioctl(peer, TIOCSCTTY, 0), [] { return std::string("take a controlling terminal"); });
  for (int stream = 0; stream < 3; ++stream)
    os::check(::dup2(peer, stream), [] { return std::string("use the terminal"); });
}

void set_terminal_size(int terminal, std::uint32_t rows, std::uint32_t columns) {
  if (rows == 0 && columns == 0) return;
  winsize size{};
  size.ws_row = static_cast<unsigned short>(std::min(rows, 65535U));
  size.ws_col = static_cast<unsigned short>(std::min(columns, 65535U));
  os::check(::ioctl(terminal, TIOCSWINSZ, &size),
            [] { return std::string("set the size of a terminal"); });
}

void send_to_console_socket(const std::string& path, int master) {
  const os::UniqueFd socket(os::check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                                      [] { return std::string("make a Unix socket"); }));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw os::Error(ENAMETOOLONG, "connect to the console socket '" + path + "'");
  std::memcpy(address.sun_path, path.data(), path.size());
  os::check(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
            [&] { return "connect to the console socket '" + path + "'"; });
  os::send_message(socket.get(), "/dev/ptmx", {master});
}

}  // namespace monitor
