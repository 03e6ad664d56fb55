#include "runtime/os/signal.hpp"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>

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

namespace {

/// The signals of one line of a status, the first one in the lowest bit.
std::optional<std::uint64_t> signals_in(std::string_view status, std::string_view field) {
  const std::string start = "\n" + std::string(field) + ":\t";
  const auto at = status.find(start);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view digits = status.substr(at + start.size(), 16);
  std::uint64_t mask = 0;
  if (std::from_chars(digits.begin(), digits.end(), mask, 16).ec != std::errc())
    return std::nullopt;
  return mask;
}

}  // namespace

bool is_unheeded(std::string_view status, std::string_view system_call, int signal,
                 bool first_of_namespace) {
  if (signal == SIGKILL || signal == SIGSTOP || signal < 1 || signal > 64) return false;
  const auto ignored = signals_in(status, "SigIgn"), caught = signals_in(status, "SigCgt"),
             blocked = signals_in(status, "SigBlk");
  if (!ignored || !caught || !blocked) return false;
  const std::uint64_t bit = std::uint64_t{1} << (signal - 1);
  if ((*ignored & bit) != 0) return true;
  if (system_call.starts_with(std::to_string(SYS_rt_sigtimedwait) + " ")) return false;
  return first_of_namespace && ((*caught | *blocked) & bit) == 0;
}

}  // namespace os
