// A pseudo terminal of the container's own devpts (pty(7)).
#pragma once

#include <cstdint>
#include <string>

#include "runtime/container/spec.hpp"
#include "runtime/os/fd.hpp"

namespace monitor {

struct Terminal {
  os::UniqueFd master;
  os::UniqueFd peer;  ///< what the process has as its terminal
};

/// Opens a terminal through /dev/pts/ptmx in `root`, which must be the real one: no link, the
/// multiplexer of a devpts.
Terminal open_terminal(int root, const container::Process& process);
/// Binds the peer on /dev/console.
void mount_console(int root, const Terminal& terminal);
/// Makes the terminal the controlling one of a new session and the three standard streams.
void use_terminal(const Terminal& terminal);
/// Sets the size in characters; ignored when both are 0.
void set_terminal_size(int terminal, std::uint32_t rows, std::uint32_t columns);

/// Hands the master to whoever listens on the stream socket at `path` (OCI --console-socket).
void send_to_console_socket(const std::string& path, int master);

}  // namespace monitor
