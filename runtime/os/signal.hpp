// Names and numbers of signals (signal(7)).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace os {

/// "SIGTERM", "TERM", "term", "15", "RTMIN+3" → the number; nothing for anything else.
std::optional<int> signal_number(std::string_view name);
/// "SIGTERM"; "SIGRTMIN+3"; the number itself when it has no name.
std::string signal_name(int number);
/// Whether a signal would go unnoticed by the process of this /proc/PID/status
/// (proc_pid_status(5)): it is ignored or, by the first process of a pid namespace, neither caught
/// nor waited for (pid_namespaces(7)). `system_call` is its /proc/PID/syscall: what sigtimedwait(2)
/// waits for does not show as blocked meanwhile. SIGKILL and SIGSTOP are never unheeded; of a text
/// that is no status nothing is known: false.
bool is_unheeded(std::string_view status, std::string_view system_call, int signal,
                 bool first_of_namespace);

}  // namespace os
