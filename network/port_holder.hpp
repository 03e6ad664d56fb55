// Who holds a port: /proc/net/{tcp,udp}{,6} name the socket, /proc/PID/fd its process (proc(5)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace network {

/// The inodes of the sockets that are bound to the port (for tcp: listening) in the text of such a
/// table. Lines that cannot be understood are passed over. Pure.
std::vector<std::uint64_t> sockets_on_port(std::string_view table, std::uint16_t port,
                                           bool listening_only);

struct PortHolder {
  pid_t pid = 0;
  std::string program;
  /// "nginx (pid 123)"
  std::string text() const { return program + " (pid " + std::to_string(pid) + ")"; }
};

/// Nothing when nobody can be seen. Looks in the calling thread's namespace, through the processes
/// that the caller may see.
std::optional<PortHolder> find_port_holder(const std::string& protocol, std::uint16_t port);

}  // namespace network
