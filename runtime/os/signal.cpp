#include "runtime/os/signal.hpp"

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace os {

namespace {

std::optional<int> number_in(std::string_view text, int low, int high) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (number < low || number > high) return std::nullopt;
  return number;
}

std::optional<int> realtime_signal(std::string_view name) {
  const bool from_max = name.starts_with("RTMAX");
  std::string_view rest = name.substr(5);
  if (rest.empty()) return from_max ? SIGRTMAX : SIGRTMIN;
  if (rest.front() != (from_max ? '-' : '+')) return std::nullopt;
  const auto offset = number_in(rest.substr(1), 0, SIGRTMAX - SIGRTMIN);
  if (!offset) return std::nullopt;
  return from_max ? SIGRTMAX - *offset : SIGRTMIN + *offset;
}

}  // namespace

std::optional<int> signal_number(std::string_view given) {
  std::string name(given);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (const auto number = number_in(name, 1, SIGRTMAX)) return number;
  if (name.starts_with("SIG")) name.erase(0, 3);
  if (name.starts_with("RTMIN") || name.starts_with("RTMAX")) return realtime_signal(name);
  if (name == "IOT") return SIGABRT;
  if (name == "CLD") return SIGCHLD;
  if (name == "POLL") return SIGIO;
  for (int number = 1; number < SIGRTMIN; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return std::nullopt;
}

std::string signal_name(int number) {
  if (number >= SIGRTMIN && number <= SIGRTMAX) {
    const int offset = number - SIGRTMIN;
    return offset == 0 ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(offset);
  }
  const char* known = number > 0 ? ::sigabbrev_np(number) : nullptr;
  return known != nullptr ? std::string("SIG") + known : std::to_string(number);
}

}  // namespace os
