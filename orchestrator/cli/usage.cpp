#include "orchestrator/cli/usage.hpp"

#include <array>
#include <cstdio>
#include <sstream>

namespace cli {

namespace {

template <std::size_t N>
std::string scaled(std::uint64_t bytes, double step, const std::array<const char*, N>& units,
                   int digits) {
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= step && unit + 1 < N; ++unit) value /= step;
  char text[32];
  std::snprintf(text, sizeof text, "%.*g%s", digits, value, units[unit]);
  return text;
}

}  // namespace

double cpu_percent(const Usage& before, const Usage& now) {
  const double elapsed = std::chrono::duration<double, std::micro>(now.at - before.at).count();
  if (elapsed <= 0 || now.cpu < before.cpu) return 0;
  return 100 * static_cast<double>(now.cpu - before.cpu) / elapsed;
}

void add_interfaces(Usage& usage, std::string_view net_dev) {
  std::istringstream lines{std::string(net_dev)};
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;  // the two lines of headings
    const std::string name =
        line.substr(line.find_first_not_of(' '), colon - line.find_first_not_of(' '));
    std::istringstream fields(line.substr(colon + 1));
    std::uint64_t received = 0;
    std::uint64_t ignored = 0;
    std::uint64_t sent = 0;
    fields >> received;
    for (int i = 0; i < 7; ++i) fields >> ignored;  // packets, errors, drops …
    fields >> sent;
    if (!fields || name == "lo") continue;
    usage.received += received;
    usage.sent += sent;
  }
}

std::string binary_bytes(std::uint64_t bytes) {
  return scaled(bytes, 1024, std::array<const char*, 5>{"B", "KiB", "MiB", "GiB", "TiB"}, 4);
}

std::string decimal_bytes(std::uint64_t bytes) {
  return scaled(bytes, 1000, std::array<const char*, 5>{"B", "kB", "MB", "GB", "TB"}, 3);
}

}  // namespace cli
