#include "runtime/container/cgroup_files.hpp"

#include <dirent.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

constexpr std::size_t kLimit = 16 * 1024 * 1024;
constexpr int kMaxDepth = 64;

// A group that goes away while it is read (ENODEV) counts as gone.
std::optional<std::string> read_text(const std::string& path) {
  try {
    return os::read_file_if_exists(path, kLimit);
  } catch (const os::Error& error) {
    if (error.code() == ENODEV || error.code() == EOPNOTSUPP) return std::nullopt;
    throw;
  }
}

void collect_processes(const std::string& directory, int depth, std::vector<pid_t>& pids) {
  if (const auto text = read_text(directory + "/cgroup.procs")) {
    for (const std::string_view line : fields(*text, '\n')) {
      // 0 is a process of a pid namespace that we do not see.
      if (const auto pid = to_number(line); pid.value_or(0) != 0) {
        pids.push_back(static_cast<pid_t>(*pid));
      }
    }
  }
  if (depth >= kMaxDepth) return;
  for (const std::string& child : child_groups(directory)) {
    collect_processes(child, depth + 1, pids);
  }
}

}  // namespace

std::vector<std::string> child_groups(const std::string& directory) {
  std::vector<std::string> children;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), &::closedir);
  while (const dirent* entry = stream ? ::readdir(stream.get()) : nullptr) {
    const std::string_view name(&entry->d_name[0]);
    if (entry->d_type == DT_DIR && name != "." && name != "..") {
      children.push_back(directory + "/" + std::string(name));
    }
  }
  return children;
}

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string_view> fields(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::optional<std::uint64_t> read_number(const std::string& path) {
  const auto text = read_text(path);
  if (!text) return std::nullopt;
  const auto lines = fields(*text, '\n');
  return lines.empty() ? std::nullopt : to_number(lines.front());
}

std::optional<std::uint64_t> find_keyed(std::string_view text, std::string_view key) {
  for (const std::string_view line : fields(text, '\n')) {
    const auto parts = fields(line, ' ');
    if (parts.size() == 2 && parts[0] == key) return to_number(parts[1]);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> read_keyed(const std::string& path, std::string_view key) {
  const auto text = read_text(path);
  return text ? find_keyed(*text, key) : std::nullopt;
}

std::vector<pid_t> read_processes(const std::string& directory) {
  std::vector<pid_t> pids;
  collect_processes(directory, 0, pids);
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

}  // namespace container
