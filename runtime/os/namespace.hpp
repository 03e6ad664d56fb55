// Entering a network namespace for a moment, on a thread of its own.
#pragma once

#include <functional>
#include <string>

#include "runtime/os/fd.hpp"

namespace os {

/// Runs `work` on a thread that has entered the network namespace `ns` (setns(2)) and waits for it;
/// what it throws is thrown here. Sockets made inside stay in that namespace for good.
void in_network_namespace(int ns, const std::function<void()>& work);

/// Makes a network namespace and pins it by a bind mount on the file `path` (made for it), as
/// ip-netns(8) does. Nothing is left when it fails.
void create_named_network_namespace(const std::string& path);
/// Takes the pin away; the kernel ends the namespace with its last user. Content when there is
/// none.
void remove_named_network_namespace(const std::string& path);
/// Opens a pinned namespace, or that of a process ("/proc/PID/ns/net").
UniqueFd open_namespace(const std::string& path);

}  // namespace os
