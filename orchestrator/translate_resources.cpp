#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmath>
#include <sstream>

#include "orchestrator/translate_parts.hpp"
#include "runtime/container/bundle.hpp"
#include "runtime/os/error.hpp"

namespace orchestrator {

namespace {

constexpr std::int64_t kCpuPeriod = 100'000;  // µs
constexpr std::int64_t kLeastMemory = 6 * 1024 * 1024;

void set_memory(const manifests::Service& service, container::MemoryResources& memory) {
  const manifests::Limits limits = service.limits();
  const std::int64_t limit = limits.memory.value;
  const std::int64_t with_swap = service.memswap_limit.value;
  if (limit > 0) {
    if (limit < kLeastMemory) throw os::Error("Minimum memory limit allowed is 6MB");
    memory.limit = limit;
    memory.swap = 2 * limit;
  }
  if (with_swap != 0) {
    if (limit <= 0) throw os::Error("memswap_limit needs mem_limit");
    if (with_swap > 0 && with_swap < limit)
      throw os::Error("Minimum memoryswap limit should be larger than memory limit");
    memory.swap = with_swap;
  }
  if (limits.memory_reservation) {
    if (limit > 0 && limits.memory_reservation.value > limit)
      throw os::Error("the memory reservation must not be larger than the memory limit");
    memory.reservation = limits.memory_reservation.value;
  }
  if (service.mem_swappiness)
    memory.swappiness = static_cast<std::uint64_t>(service.mem_swappiness.value);
  if (service.oom_kill_disable) memory.disable_oom_killer = true;
}

void set_cpu(const manifests::Service& service, container::CpuResources& cpu) {
  const double cpus = service.limits().cpus;
  if (cpus > 0) {
    if (service.cpu_quota != 0) throw os::Error("Nano CPUs and CPU Quota cannot both be set");
    const auto online = static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));
    if (cpus < 0.01 || cpus > online) {
      std::ostringstream text;
      text.setf(std::ios::fixed);
      text.precision(2);
      text << "range of CPUs is from 0.01 to " << online << ", as there are only " << online
           << " CPUs available, not " << cpus;
      throw os::Error(text.str());
    }
    cpu.period = kCpuPeriod;
    cpu.quota = std::llround(cpus * static_cast<double>(kCpuPeriod));
  }
  if (service.cpu_quota != 0) cpu.quota = service.cpu_quota;
  if (service.cpu_period != 0) cpu.period = static_cast<std::uint64_t>(service.cpu_period);
  if (service.cpu_shares != 0) cpu.shares = static_cast<std::uint64_t>(service.cpu_shares);
  if (service.cpu_rt_runtime != 0) cpu.realtime_runtime = service.cpu_rt_runtime;
  if (service.cpu_rt_period != 0)
    cpu.realtime_period = static_cast<std::uint64_t>(service.cpu_rt_period);
  cpu.cpus = service.cpuset;
}

dev_t block_device(const std::string& path) {
  struct stat status {};
  os::check(::stat(path.c_str(), &status), [&] { return "look at device '" + path + "'"; });
  if (!S_ISBLK(status.st_mode)) throw os::Error("'" + path + "' is no block device");
  return status.st_rdev;
}

std::vector<container::ThrottleDevice> throttles(
    const std::vector<manifests::ThrottleDevice>& devices) {
  std::vector<container::ThrottleDevice> result;
  for (const auto& device : devices) {
    const dev_t number = block_device(device.path);
    result.push_back({.major = ::major(number),
                      .minor = ::minor(number),
                      .rate = static_cast<std::uint64_t>(device.rate.value)});
  }
  return result;
}

void set_block_io(const manifests::BlkioConfig& config, container::BlockIoResources& io) {
  if (config.weight != 0) io.weight = config.weight;
  for (const auto& device : config.weight_device) {
    const dev_t number = block_device(device.path);
    io.weight_devices.push_back(
        {.major = ::major(number), .minor = ::minor(number), .weight = device.weight});
  }
  io.read_bps = throttles(config.device_read_bps);
  io.write_bps = throttles(config.device_write_bps);
  io.read_iops = throttles(config.device_read_iops);
  io.write_iops = throttles(config.device_write_iops);
}

/// "c 1:3 rwm", each number may be "*".
container::DeviceRule parse_rule(const std::string& text) {
  std::istringstream words(text);
  char type = 0;
  std::string numbers;
  std::string access;
  words >> type >> numbers >> access;
  const auto colon = numbers.find(':');
  const auto number = [&](const std::string& part) -> std::optional<std::int64_t> {
    if (part == "*") return std::nullopt;
    try {
      return std::stoll(part);
    } catch (const std::exception&) {
      throw os::Error("invalid device cgroup rule '" + text + "'");
    }
  };
  if (words.fail() || (type != 'a' && type != 'b' && type != 'c') || colon == std::string::npos ||
      access.find_first_not_of("rwm") != std::string::npos)
    throw os::Error("invalid device cgroup rule '" + text + "': write e.g. 'c 1:3 rwm'");
  return {.allow = true,
          .type = type,
          .major = number(numbers.substr(0, colon)),
          .minor = number(numbers.substr(colon + 1)),
          .access = access};
}

void add_devices(const manifests::Service& service, container::Linux& limits) {
  for (const manifests::Device& wanted : service.devices) {
    const std::string target = wanted.target.empty() ? wanted.source : wanted.target;
    for (const container::Device& node : container::devices_from_path(wanted.source, target)) {
      limits.resources.devices.push_back(
          {.allow = true,
           .type = node.type == 'b' ? 'b' : 'c',
           .major = node.major,
           .minor = node.minor,
           .access = wanted.permissions.empty() ? "rwm" : wanted.permissions});
      limits.devices.push_back(node);
    }
  }
  for (const std::string& rule : service.device_cgroup_rules)
    limits.resources.devices.push_back(parse_rule(rule));
}

}  // namespace

void set_resources(const manifests::Service& service, container::Spec& spec) {
  container::Resources& resources = spec.linux.resources;
  set_memory(service, resources.memory);
  set_cpu(service, resources.cpu);
  if (service.limits().pids != 0) resources.pids_limit = service.limits().pids;
  if (service.blkio_config) set_block_io(*service.blkio_config, resources.block_io);
  if (!service.privileged) add_devices(service, spec.linux);
}

}  // namespace orchestrator
