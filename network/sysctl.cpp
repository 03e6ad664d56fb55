#include "network/sysctl.hpp"

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

}  // namespace network
