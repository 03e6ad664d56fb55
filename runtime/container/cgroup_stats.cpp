// What the kernel counts for a container's control groups.
#include "runtime/container/cgroup.hpp"
#include "runtime/container/cgroup_files.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

// v1 says "unlimited" as the largest number of whole pages.
constexpr std::uint64_t kUnlimitedV1 = std::uint64_t{1} << 62;
constexpr std::uint64_t kJiffyUsec = 10'000;  // USER_HZ is 100 on every architecture we run on

void add(std::optional<std::uint64_t>& total, std::optional<std::uint64_t> more) {
  if (more) total = total.value_or(0) + *more;
}

void read_cpu_v2(const std::string& directory, CgroupStats& stats) {
  const std::string file = directory + "/cpu.stat";
  stats.cpu_usage_usec = read_keyed(file, "usage_usec");
  stats.cpu_user_usec = read_keyed(file, "user_usec");
  stats.cpu_system_usec = read_keyed(file, "system_usec");
  stats.cpu_throttled_usec = read_keyed(file, "throttled_usec");
  stats.cpu_throttled_periods = read_keyed(file, "nr_throttled");
}

void read_cpu_v1(const std::optional<std::string>& accounting,
                 const std::optional<std::string>& cpu, CgroupStats& stats) {
  if (accounting) {
    if (const auto usage = read_number(*accounting + "/cpuacct.usage")) {
      stats.cpu_usage_usec = *usage / 1000;
    }
    if (const auto user = read_keyed(*accounting + "/cpuacct.stat", "user")) {
      stats.cpu_user_usec = *user * kJiffyUsec;
    }
    if (const auto system = read_keyed(*accounting + "/cpuacct.stat", "system")) {
      stats.cpu_system_usec = *system * kJiffyUsec;
    }
  }
  if (!cpu) return;
  stats.cpu_throttled_periods = read_keyed(*cpu + "/cpu.stat", "nr_throttled");
  if (const auto throttled = read_keyed(*cpu + "/cpu.stat", "throttled_time")) {
    stats.cpu_throttled_usec = *throttled / 1000;
  }
}

void read_memory_v2(const std::string& directory, CgroupStats& stats) {
  stats.memory_usage = read_number(directory + "/memory.current");
  stats.memory_inactive_file = read_keyed(directory + "/memory.stat", "inactive_file");
  stats.memory_limit = read_number(directory + "/memory.max");
  stats.memory_peak = read_number(directory + "/memory.peak");
  stats.swap_usage = read_number(directory + "/memory.swap.current");
}

void read_memory_v1(const std::string& directory, CgroupStats& stats) {
  stats.memory_usage = read_number(directory + "/memory.usage_in_bytes");
  stats.memory_inactive_file = read_keyed(directory + "/memory.stat", "total_inactive_file");
  stats.memory_limit = read_number(directory + "/memory.limit_in_bytes");
  if (stats.memory_limit.value_or(0) >= kUnlimitedV1) stats.memory_limit.reset();
  stats.memory_peak = read_number(directory + "/memory.max_usage_in_bytes");
  stats.swap_usage = read_keyed(directory + "/memory.stat", "total_swap");
}

// "MAJ:MIN rbytes=N wbytes=N rios=N wios=N …" per device.
void read_io_v2(const std::string& directory, CgroupStats& stats) {
  const std::string text = os::read_file_if_exists(directory + "/io.stat").value_or("");
  for (const std::string_view line : fields(text, '\n')) {
    for (const std::string_view part : fields(line, ' ')) {
      const std::size_t equals = part.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view key = part.substr(0, equals);
      const auto number = to_number(part.substr(equals + 1));
      if (key == "rbytes") add(stats.io_read_bytes, number);
      if (key == "wbytes") add(stats.io_write_bytes, number);
      if (key == "rios") add(stats.io_reads, number);
      if (key == "wios") add(stats.io_writes, number);
    }
  }
}

// "MAJ:MIN Read N" and "MAJ:MIN Write N" per device.
void read_operations_v1(const std::string& directory, const std::string& name,
                        std::optional<std::uint64_t>& reads, std::optional<std::uint64_t>& writes) {
  std::string text;
  for (const char* prefix : {"/blkio.bfq.", "/blkio.throttle."}) {
    text = os::read_file_if_exists(directory + prefix + name).value_or("");
    if (text.find("Read") != std::string::npos) break;
  }
  for (const std::string_view line : fields(text, '\n')) {
    const auto parts = fields(line, ' ');
    if (parts.size() != 3) continue;
    if (parts[1] == "Read") add(reads, to_number(parts[2]));
    if (parts[1] == "Write") add(writes, to_number(parts[2]));
  }
}

}  // namespace

CgroupStats Cgroup::stats() const {
  CgroupStats stats;
  const auto is_v2 = [&](const char* controller) {
    const Hierarchy* hierarchy = layout_.find(controller);
    return hierarchy != nullptr && hierarchy->unified;
  };
  if (is_v2("cpu")) {
    if (const auto cpu = directory("cpu")) read_cpu_v2(*cpu, stats);
  } else {
    read_cpu_v1(directory("cpuacct"), directory("cpu"), stats);
  }
  if (const auto memory = directory("memory")) {
    is_v2("memory") ? read_memory_v2(*memory, stats) : read_memory_v1(*memory, stats);
    stats.oom_kills = oom_kills();
  }
  if (const auto pids = directory("pids")) {
    stats.pids_current = read_number(*pids + "/pids.current");
    stats.pids_limit = read_number(*pids + "/pids.max");
  }
  if (const auto io = directory("io")) {
    read_io_v2(*io, stats);
  } else if (const auto blkio = directory("blkio")) {
    read_operations_v1(*blkio, "io_service_bytes_recursive", stats.io_read_bytes,
                       stats.io_write_bytes);
    read_operations_v1(*blkio, "io_serviced_recursive", stats.io_reads, stats.io_writes);
  }
  return stats;
}

}  // namespace container
