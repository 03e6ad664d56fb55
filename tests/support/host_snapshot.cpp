#include "tests/support/host_snapshot.hpp"

#include <net/if.h>
#include <nftables/libnftables.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <sstream>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace support {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

std::vector<std::string> words(const std::string& line) {
  std::vector<std::string> result;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// What a line of a ruleset says. A set's elements stand side by side and each is one of its own.
std::vector<std::string> entries(std::string line) {
  constexpr std::string_view kElements = "elements = { ";
  if (line.starts_with(kElements)) line.erase(0, kElements.size());
  while (line.ends_with(" }") || line.ends_with(",") || line.ends_with(" ")) line.pop_back();
  std::vector<std::string> result;
  while (!line.empty() && line != "}") {
    const std::size_t comma = line.find(", ");
    result.push_back(line.substr(0, comma));
    line.erase(0, comma == std::string::npos ? comma : comma + 2);
  }
  return result;
}

// A file that may vanish while it is read: another process's.
std::string read_or_empty(const std::string& path) {
  try {
    return os::read_file_if_exists(path).value_or("");
  } catch (const os::Error&) {
    return {};
  }
}

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

// Whether a path has a part that is ours. `stack-engine` is not of a stack: it is where the
// processes of a delegated group live, whoever called us among them, from the first stack on.
bool has_part_of_ours(const std::string& path) {
  for (const fs::path& part : fs::path(path)) {
    const std::string name = part.string();
    if (name == "stack-engine") return false;
    if (name == "stack" || name.rfind("stack-", 0) == 0 || name == "stack.slice") return true;
  }
  return false;
}

bool runs_in_container(const std::string& cgroups) {
  const std::vector<std::string> all = lines(cgroups);
  return std::any_of(all.begin(), all.end(), [](const std::string& line) {
    return has_part_of_ours(line.substr(line.rfind(':') + 1));
  });
}

// The cgroup file systems that are mounted.
std::vector<std::string> cgroup_mounts() {
  std::vector<std::string> result;
  for (const std::string& line : lines(os::read_file("/proc/self/mounts"))) {
    const std::vector<std::string> fields = words(line);
    if (fields.size() > 2 && (fields[2] == "cgroup" || fields[2] == "cgroup2"))
      result.push_back(fields[1]);
  }
  return result;
}

void find_cgroups(const fs::path& directory, const fs::path& mount, int depth,
                  std::set<std::string>& result) {
  constexpr int kDeepest = 8;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (!entry.is_directory(error) || entry.is_symlink(error)) continue;
    if (has_part_of_ours(fs::path(entry.path()).lexically_relative(mount).string()))
      result.insert(entry.path().string());
    if (depth < kDeepest) find_cgroups(entry.path(), mount, depth + 1, result);
  }
}

std::string identity(const std::string& pid, const std::string& name) {
  std::string command = read_or_empty("/proc/" + pid + "/cmdline");
  std::replace(command.begin(), command.end(), '\0', ' ');
  return pid + " " + name + ": " + command;
}

}  // namespace

std::set<std::string> stack_processes() {
  std::set<std::string> result;
  for (const std::string& pid : os::list_directory("/proc")) {
    if (!is_number(pid)) continue;
    std::error_code error;
    const std::string executable =
        fs::read_symlink("/proc/" + pid + "/exe", error).filename().string();
    const std::string name = executable.substr(0, executable.find(' '));  // "… (deleted)"
    // A monitor runs from a mount of its own, where its program has no name.
    const std::string command = read_or_empty("/proc/" + pid + "/comm");
    if (name == "stack" || name == "stack-runtime" || command == "stack-runtime\n" ||
        runs_in_container(read_or_empty("/proc/" + pid + "/cgroup")))
      result.insert(identity(pid, name));
  }
  return result;
}

std::set<std::string> mounts() {
  std::set<std::string> result;
  for (const std::string& line : lines(os::read_file("/proc/self/mountinfo"))) {
    const std::vector<std::string> fields = words(line);
    const auto separator = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() > 5 && separator + 1 < fields.end())
      result.insert(*(separator + 1) + " at " + fields[4]);
  }
  return result;
}

std::set<std::string> links() {
  std::set<std::string> result;
  const std::unique_ptr<struct if_nameindex, decltype(&::if_freenameindex)> list(
      ::if_nameindex(), &::if_freenameindex);
  if (list == nullptr) throw os::Error(errno, "list the network interfaces");
  for (const struct if_nameindex* link = list.get(); link->if_index != 0; ++link)
    result.insert(link->if_name);
  return result;
}

std::set<std::string> firewall_lines() {
  const std::unique_ptr<nft_ctx, decltype(&::nft_ctx_free)> context(::nft_ctx_new(NFT_CTX_DEFAULT),
                                                                    &::nft_ctx_free);
  ::nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_ALL);
  ::nft_ctx_buffer_output(context.get());
  ::nft_ctx_buffer_error(context.get());
  if (::nft_run_cmd_from_buffer(context.get(), "list ruleset") != 0)
    throw os::Error(std::string("list the firewall's rules: ") +
                    ::nft_ctx_get_error_buffer(context.get()));
  std::set<std::string> result;
  std::string table;
  std::string block;
  for (const std::string& line : lines(::nft_ctx_get_output_buffer(context.get()))) {
    const std::string text = joined(words(line));
    if (text.rfind("table ", 0) == 0) table = text;
    if (text.ends_with(" {")) block = text;
    for (const std::string& entry : entries(text)) result.insert(table + " " + block + " " + entry);
  }
  return result;
}

std::set<std::string> routes() {
  std::set<std::string> result;
  for (const std::string& line : lines(os::read_file("/proc/net/route"))) {
    const std::vector<std::string> fields = words(line);
    if (fields.size() > 7 && fields[0] != "Iface")
      result.insert(fields[0] + " " + fields[1] + "/" + fields[7] + " via " + fields[2]);
  }
  // Fields 6 and 7 count uses; the last is the interface.
  for (const std::string& line : lines(read_or_empty("/proc/net/ipv6_route"))) {
    const std::vector<std::string> fields = words(line);
    if (fields.size() > 9)
      result.insert(fields[9] + " " + fields[0] + "/" + fields[1] + " via " + fields[4]);
  }
  return result;
}

std::set<std::string> stack_cgroups() {
  std::set<std::string> result;
  for (const std::string& mount : cgroup_mounts()) find_cgroups(mount, mount, 0, result);
  return result;
}

std::set<std::string> stack_sockets() {
  std::set<std::string> result;
  for (const std::string& line : lines(os::read_file("/proc/net/unix"))) {
    const std::vector<std::string> fields = words(line);
    if (fields.size() > 7 && fields[7].find("stack") != std::string::npos) result.insert(fields[7]);
  }
  return result;
}

HostSnapshot HostSnapshot::take() {
  HostSnapshot snapshot;
  snapshot.found_ = {
      {"process", stack_processes()}, {"mount", mounts()}, {"link", links()},
      {"firewall", firewall_lines()}, {"route", routes()}, {"cgroup", stack_cgroups()},
      {"socket", stack_sockets()}};
  return snapshot;
}

std::vector<std::string> HostSnapshot::added_since(const HostSnapshot& before) const {
  std::vector<std::string> added;
  for (const auto& [kind, now] : found_) {
    const auto then = before.found_.find(kind);
    for (const std::string& one : now)
      if (then == before.found_.end() || !then->second.contains(one))
        added.push_back(kind + ": " + one);
  }
  return added;
}

}  // namespace support
