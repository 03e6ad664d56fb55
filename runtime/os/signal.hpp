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

}  // namespace os
