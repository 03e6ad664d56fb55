#include "orchestrator/cli/processes.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <sstream>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace cli {

namespace {

std::string user_name(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : std::to_string(uid);
}

std::string clock_text(long long seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60,
                seconds % 60);
  return text;
}

std::string started_text(unsigned long long ticks) {
  timespec now{};
  timespec since_boot{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const auto per_second = static_cast<unsigned long long>(::sysconf(_SC_CLK_TCK));
  const std::time_t start =
      now.tv_sec - since_boot.tv_sec + static_cast<std::time_t>(ticks / per_second);
  std::tm parts{};
  ::localtime_r(&start, &parts);
  char text[16];
  std::strftime(text, sizeof text, now.tv_sec - start < 86400 ? "%H:%M" : "%b%d", &parts);
  return text;
}

/// CPU time over age, both in clock ticks.
int share_of(long long used, long long started) {
  timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const long long age = since_boot.tv_sec * ::sysconf(_SC_CLK_TCK) - started;
  return age > 0 ? static_cast<int>(std::min(99LL, 100 * used / age)) : 0;
}

std::string terminal_text(int device) {
  // proc_pid_stat(5): the minor number is in bits 31 to 20 and 7 to 0.
  const auto number = static_cast<unsigned>(device);
  const unsigned major_number = (number >> 8U) & 0xFFFU;
  const unsigned minor_number = (number & 0xFFU) | ((number >> 12U) & 0xFFF00U);
  if (major_number >= 136 && major_number <= 143)
    return "pts/" + std::to_string(minor_number + (major_number - 136) * 256);
  return number == 0 ? "?" : "tty" + std::to_string(minor_number);
}

std::string command_text(std::string arguments, const std::string& name) {
  while (!arguments.empty() && arguments.back() == '\0') arguments.pop_back();
  for (char& c : arguments)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return arguments.empty() ? "[" + name + "]" : arguments;
}

}  // namespace

std::optional<Process> read_process(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  struct stat owner {};
  if (::stat(directory.c_str(), &owner) != 0) return std::nullopt;
  std::string text;
  std::string arguments;
  try {
    text = os::read_file(directory + "/stat");
    arguments = os::read_file(directory + "/cmdline");
  } catch (const os::Error&) {
    return std::nullopt;
  }
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(close + 1));
  std::string state;
  Process process{.pid = pid, .user = user_name(owner.st_uid)};
  long long ignored = 0;
  long long ticks = 0;
  int device = 0;
  rest >> state >> process.parent >> ignored >> ignored >> device;
  for (int i = 0; i < 6; ++i) rest >> ignored;  // tpgid, flags, page faults
  long long user = 0;
  long long system = 0;
  rest >> user >> system;
  for (int i = 0; i < 6; ++i) rest >> ignored;  // children's times, priorities, threads
  rest >> ticks;
  process.cpu_share = share_of(user + system, ticks);
  process.terminal = terminal_text(device);
  process.cpu_time = clock_text((user + system) / ::sysconf(_SC_CLK_TCK));
  process.started = started_text(static_cast<unsigned long long>(ticks));
  process.command = command_text(std::move(arguments), text.substr(open + 1, close - open - 1));
  return process;
}

}  // namespace cli
