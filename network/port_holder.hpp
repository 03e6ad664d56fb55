// Who holds a port: /proc/net/{tcp,udp}{,6} name the socket, /proc/PID/fd its process (proc(5)).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace network {

/// The inodes of the sockets that are bound to the port (for tcp: listening) in the text of such a
/// table. Lines that cannot be understood are passed over. Pure.
std::vector<std::uint64_t> sockets_on_port(std::string_view table, std::uint16_t port,
                                           bool listening_only);

/// "nginx (pid 123)"; "" when nobody can be seen. Looks in the calling thread's namespace, through
/// the processes that the caller may see.
std::string find_port_holder(const std::string& protocol, std::uint16_t port);

}  // namespace network
