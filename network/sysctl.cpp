#include "network/sysctl.hpp"

#include <algorithm>
#include <string_view>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace network {

std::optional<std::string> read_sysctl(const std::string& name) {
  std::optional<std::string> value = os::read_file_if_exists("/proc/sys/" + name);
  while (value && !value->empty() && value->back() == '\n') value->pop_back();
  return value;
}

void set_sysctl(const std::string& name, const std::string& value) {
  const std::optional<std::string> current = read_sysctl(name);
  if (!current) throw os::Error(ENOENT, "set sysctl " + name);
  if (*current != value) os::write_to("/proc/sys/" + name, value);
}

void set_sysctl_if_present(const std::string& name, const std::string& value) {
  const std::optional<std::string> current = read_sysctl(name);
  if (current && *current != value) os::write_to("/proc/sys/" + name, value);
}

std::string interface_sysctl(const std::string& name, const std::string& interface) {
  constexpr std::string_view kBefore[] = {"net.ipv4.conf.", "net.ipv4.neigh.", "net.ipv6.conf.",
                                          "net.ipv6.neigh.", "net.mpls.conf."};
  constexpr std::string_view kPlace = "IFNAME.";
  for (const std::string_view before : kBefore) {
    if (!name.starts_with(before)) continue;
    const std::string_view rest = std::string_view(name).substr(before.size());
    if (!rest.starts_with(kPlace)) break;
    const std::string_view key = rest.substr(kPlace.size());
    if (key.empty() ||
        key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string_view::npos)
      break;
    std::string path(before);
    std::replace(path.begin(), path.end(), '.', '/');
    return path + interface + "/" + std::string(key);
  }
  throw os::Error("sysctl '" + name +
                  "' is none of an interface: use net.ipv4.conf.IFNAME.KEY and the like");
}

}  // namespace network
