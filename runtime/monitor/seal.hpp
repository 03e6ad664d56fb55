// Protection of our own executable: a container's process has it as /proc/self/exe until it
// executes a program of its own (CVE-2019-5736).
#pragma once

#include <string>

namespace monitor {

/// Executes this program again from a read-only mount of its file that is attached nowhere, unless
/// it runs from one already. Must come before anything else: descriptors and memory are as at the
/// start. Throws os::Error when it cannot; a container must not be started then.
void run_from_read_only_mount(char** arguments);

/// A path that a read-only bind of our executable can be made from.
std::string own_binary_path();
/// The init helper, `stack-init`, which is installed beside it.
std::string init_helper_path();

}  // namespace monitor
