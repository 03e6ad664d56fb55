#include "network/port_holder.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "runtime/os/file.hpp"

namespace network {

namespace {

constexpr std::string_view kListen = "0A";

bool is_number(const std::string& name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::string> read_link(const std::string& path) {
  std::array<char, 64> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(size));
}

/// Processes come and go, and some may not be looked into: what cannot be read is passed over.
bool holds_socket(const std::string& process, const std::vector<std::string>& sockets) {
  std::vector<std::string> descriptors;
  try {
    descriptors = os::list_directory(process + "/fd");
  } catch (const std::exception&) {
    return false;
  }
  return std::any_of(descriptors.begin(), descriptors.end(), [&](const std::string& descriptor) {
    const std::optional<std::string> target = read_link(process + "/fd/" + descriptor);
    return target && std::find(sockets.begin(), sockets.end(), *target) != sockets.end();
  });
}

std::string program_of(const std::string& process) {
  std::string name = os::read_file_if_exists(process + "/comm").value_or("?");
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

}  // namespace

std::vector<std::uint64_t> sockets_on_port(std::string_view table, std::uint16_t port,
                                           bool listening_only) {
  std::vector<std::uint64_t> inodes;
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
    std::istringstream words(line);
    std::array<std::string, 10> word;
    for (std::string& each : word) words >> each;
    const std::size_t colon = word[1].rfind(':');
    if (!words || colon == std::string::npos) continue;
    unsigned local_port = 0;
    const char* const end = word[1].data() + word[1].size();
    if (std::from_chars(word[1].data() + colon + 1, end, local_port, 16).ptr != end) continue;
    if (local_port != port || (listening_only && word[3] != kListen)) continue;
    std::uint64_t inode = 0;
    const std::string& text = word[9];
    if (std::from_chars(text.data(), text.data() + text.size(), inode).ec != std::errc{}) continue;
    if (inode != 0) inodes.push_back(inode);
  }
  return inodes;
}

std::optional<PortHolder> find_port_holder(const std::string& protocol, std::uint16_t port) {
  constexpr std::size_t kLargestTable = 64 * 1024 * 1024;
  std::vector<std::string> sockets;
  for (const char* family : {"", "6"}) {
    const std::optional<std::string> table =
        os::read_file_if_exists("/proc/thread-self/net/" + protocol + family, kLargestTable);
    if (!table) continue;
    for (const std::uint64_t inode : sockets_on_port(*table, port, protocol == "tcp")) {
      sockets.push_back("socket:[" + std::to_string(inode) + "]");
    }
  }
  if (sockets.empty()) return {};
  for (const std::string& name : os::list_directory("/proc")) {
    if (!is_number(name) || !holds_socket("/proc/" + name, sockets)) continue;
    return PortHolder{.pid = std::stoi(name), .program = program_of("/proc/" + name)};
  }
  return std::nullopt;
}

}  // namespace network
