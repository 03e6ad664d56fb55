#include "runtime/container/cgroup_limits.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace container {
namespace {

constexpr std::uint64_t kDefaultPeriod = 100'000;  // µs, kernel's cpu.cfs_period_us

// Collects the steps of one controller, if this machine has it.
class Planner {
 public:
  Planner(const CgroupLayout& layout, LimitPlan& plan) : layout_(layout), plan_(plan) {}

  /// Notes `limit` as missing when no hierarchy has the controller under either name.
  bool choose(const char* limit, const char* v2_name, const char* v1_name) {
    const Hierarchy* v2 = layout_.unified();
    is_v2_ = v2 != nullptr && v2->has(v2_name);
    controller_ = is_v2_ ? v2_name : v1_name;
    if (is_v2_ || layout_.find(v1_name) != nullptr) return true;
    plan_.missing.push_back(std::string(limit) + ": this machine has no '" + v1_name +
                            "' controller");
    return false;
  }
  bool choose(const char* limit, const char* name) { return choose(limit, name, name); }
  bool is_v2() const { return is_v2_; }

  LimitStep& add(std::string file, std::string value) {
    return plan_.steps.emplace_back(
        LimitStep{.controller = controller_, .file = std::move(file), .value = std::move(value)});
  }
  void add_either(const char* v2_file, const char* v1_file, std::string value) {
    add(is_v2_ ? v2_file : v1_file, std::move(value));
  }
  void warn(const std::string& text) { plan_.warnings.push_back(text); }
  void refuse(const std::string& text) { plan_.missing.push_back(text); }

 private:
  const CgroupLayout& layout_;
  LimitPlan& plan_;
  std::string controller_;
  bool is_v2_ = false;
};

std::string bytes(std::int64_t value, bool is_v2) {
  if (value >= 0) return std::to_string(value);
  return is_v2 ? "max" : "-1";
}

std::string device_number(std::int64_t major, std::int64_t minor) {
  return std::to_string(major) + ":" + std::to_string(minor);
}

void plan_swap_v2(const MemoryResources& memory, Planner& planner) {
  if (*memory.swap < 0) {
    planner.add("memory.swap.max", "max").may_be_missing = true;
  } else if (memory.limit.value_or(0) <= 0) {
    planner.refuse("memory.swap: needs memory.limit");
  } else {
    const std::int64_t swap = *memory.swap - *memory.limit;
    planner.add("memory.swap.max", std::to_string(swap)).may_be_missing = swap == 0;
  }
}

void plan_memory(const MemoryResources& memory, Planner& planner) {
  const bool has_limit = memory.limit.value_or(0) != 0;
  const bool has_swap = memory.swap.value_or(0) != 0;
  const bool has_reservation = memory.reservation.value_or(0) != 0;
  const bool wants_no_oom = memory.disable_oom_killer.value_or(false);
  if (!has_limit && !has_swap && !has_reservation && !memory.swappiness && !wants_no_oom) return;
  if (!planner.choose("memory", "memory")) return;
  if (has_limit) {
    planner
        .add(planner.is_v2() ? "memory.max" : "memory.limit_in_bytes",
             bytes(*memory.limit, planner.is_v2()))
        .may_follow_next = !planner.is_v2() && has_swap;
  }
  if (has_swap && planner.is_v2()) plan_swap_v2(memory, planner);
  if (has_swap && !planner.is_v2()) {
    // Without swap accounting no swap limit and "no swap for this group" cannot be told apart.
    planner.add("memory.memsw.limit_in_bytes", bytes(*memory.swap, false)).may_be_missing =
        *memory.swap < 0 || memory.swap == memory.limit;
  }
  if (has_reservation) {
    planner.add_either("memory.low", "memory.soft_limit_in_bytes",
                       bytes(*memory.reservation, planner.is_v2()));
  }
  if (planner.is_v2()) {
    if (memory.swappiness) planner.warn("memory.swappiness: cgroup v2 has no such setting");
    if (wants_no_oom) planner.warn("memory.disableOOMKiller: cgroup v2 has no such setting");
    return;
  }
  if (memory.swappiness) planner.add("memory.swappiness", std::to_string(*memory.swappiness));
  if (wants_no_oom) planner.add("memory.oom_control", "1");
}

void plan_bandwidth(const CpuResources& cpu, Planner& planner) {
  const std::int64_t quota = cpu.quota.value_or(0);
  const std::uint64_t period = cpu.period.value_or(0);
  if (quota == 0 && period == 0) return;
  if (planner.is_v2()) {
    planner.add("cpu.max", (quota > 0 ? std::to_string(quota) : "max") + " " +
                               std::to_string(period != 0 ? period : kDefaultPeriod));
    return;
  }
  if (period != 0) {
    planner.add("cpu.cfs_period_us", std::to_string(period)).may_follow_next = quota != 0;
  }
  if (quota != 0) planner.add("cpu.cfs_quota_us", quota > 0 ? std::to_string(quota) : "-1");
}

void plan_cpu(const CpuResources& cpu, Planner& planner) {
  const bool has_shares = cpu.shares.value_or(0) != 0;
  const bool has_realtime = cpu.realtime_runtime || cpu.realtime_period;
  const bool has_bandwidth = cpu.quota.value_or(0) != 0 || cpu.period.value_or(0) != 0 || cpu.burst;
  if (!has_shares && !has_bandwidth && !has_realtime && !cpu.idle) return;
  if (!planner.choose("cpu", "cpu")) return;
  if (has_shares && planner.is_v2()) {
    planner.add("cpu.weight", std::to_string(cpu_weight_from_shares(*cpu.shares)));
  } else if (has_shares) {
    planner.add("cpu.shares", std::to_string(*cpu.shares));
  }
  plan_bandwidth(cpu, planner);
  if (cpu.burst)
    planner.add_either("cpu.max.burst", "cpu.cfs_burst_us", std::to_string(*cpu.burst));
  if (cpu.idle) planner.add("cpu.idle", std::to_string(*cpu.idle));
  if (!has_realtime) return;
  if (planner.is_v2()) return planner.warn("cpu.realtimeRuntime: cgroup v2 has no such setting");
  if (cpu.realtime_period) {
    planner.add("cpu.rt_period_us", std::to_string(*cpu.realtime_period)).may_follow_next =
        cpu.realtime_runtime.has_value();
  }
  if (cpu.realtime_runtime) {
    planner.add("cpu.rt_runtime_us", std::to_string(*cpu.realtime_runtime));
  }
}

void plan_cpuset(const CpuResources& cpu, Planner& planner) {
  if (cpu.cpus.empty() && cpu.mems.empty()) return;
  if (!planner.choose("cpu.cpus", "cpuset")) return;
  if (!cpu.cpus.empty()) planner.add("cpuset.cpus", cpu.cpus);
  if (!cpu.mems.empty()) planner.add("cpuset.mems", cpu.mems);
}

void plan_throttle(const std::vector<ThrottleDevice>& devices, const char* key,
                   const std::string& v1_file, Planner& planner) {
  for (const ThrottleDevice& device : devices) {
    const std::string number = device_number(device.major, device.minor);
    const std::string rate = std::to_string(device.rate);
    if (planner.is_v2()) {
      planner.add("io.max", number + " " + key + "=" + (device.rate == 0 ? "max" : rate));
    } else {
      planner.add("blkio.throttle." + v1_file, number + " " + rate);
    }
  }
}

void plan_weight(const std::string& device, std::uint64_t weight, Planner& planner) {
  const std::string prefix = device.empty() ? "" : device + " ";
  const std::string plain = prefix + std::to_string(weight);
  LimitStep* step = nullptr;
  if (planner.is_v2()) {
    step = &planner.add("io.bfq.weight", plain);
    step->alternative_file = "io.weight";
    step->alternative_value = prefix + std::to_string(io_weight_from_blkio(weight));
  } else {
    const std::string suffix = device.empty() ? "" : "_device";
    step = &planner.add("blkio.weight" + suffix, plain);
    step->alternative_file = "blkio.bfq.weight" + suffix;
    step->alternative_value = plain;
  }
}

void plan_block_io(const BlockIoResources& block_io, Planner& planner) {
  const bool has_weight = block_io.weight.value_or(0) != 0;
  if (!has_weight && !block_io.leaf_weight && block_io.weight_devices.empty() &&
      block_io.read_bps.empty() && block_io.write_bps.empty() && block_io.read_iops.empty() &&
      block_io.write_iops.empty()) {
    return;
  }
  if (!planner.choose("blockIO", "io", "blkio")) return;
  if (has_weight) plan_weight("", *block_io.weight, planner);
  for (const WeightDevice& device : block_io.weight_devices) {
    if (device.weight.value_or(0) == 0) continue;
    plan_weight(device_number(device.major, device.minor), *device.weight, planner);
  }
  // Left to the old CFQ scheduler, which no kernel since 5.0 has.
  if (block_io.leaf_weight) planner.warn("blockIO.leafWeight: this kernel has no such setting");
  plan_throttle(block_io.read_bps, "rbps", "read_bps_device", planner);
  plan_throttle(block_io.write_bps, "wbps", "write_bps_device", planner);
  plan_throttle(block_io.read_iops, "riops", "read_iops_device", planner);
  plan_throttle(block_io.write_iops, "wiops", "write_iops_device", planner);
}

void plan_hugepages(const std::vector<HugepageLimit>& limits, Planner& planner) {
  if (limits.empty() || !planner.choose("hugepageLimits", "hugetlb")) return;
  for (const HugepageLimit& limit : limits) {
    planner.add("hugetlb." + limit.page_size + (planner.is_v2() ? ".max" : ".limit_in_bytes"),
                std::to_string(limit.limit));
  }
}

void plan_network(const NetworkResources& network, Planner& planner) {
  if (network.class_id && planner.choose("network.classID", "net_cls")) {
    planner.add("net_cls.classid", std::to_string(*network.class_id));
  }
  if (network.priorities.empty() || !planner.choose("network.priorities", "net_prio")) return;
  for (const auto& [interface, priority] : network.priorities) {
    planner.add("net_prio.ifpriomap", interface + " " + std::to_string(priority));
  }
}

void plan_rdma(const std::map<std::string, RdmaLimit>& limits, Planner& planner) {
  if (limits.empty() || !planner.choose("rdma", "rdma")) return;
  const auto text = [](const std::optional<std::uint32_t>& number) {
    return number ? std::to_string(*number) : std::string("max");
  };
  for (const auto& [device, limit] : limits) {
    planner.add("rdma.max", device + " hca_handle=" + text(limit.handles) +
                                " hca_object=" + text(limit.objects));
  }
}

}  // namespace

LimitPlan plan_limits(const Resources& resources, const CgroupLayout& layout) {
  LimitPlan plan;
  Planner planner(layout, plan);
  plan_memory(resources.memory, planner);
  plan_cpu(resources.cpu, planner);
  plan_cpuset(resources.cpu, planner);
  if (resources.pids_limit && planner.choose("pids.limit", "pids")) {
    planner.add("pids.max",
                *resources.pids_limit > 0 ? std::to_string(*resources.pids_limit) : "max");
  }
  plan_block_io(resources.block_io, planner);
  plan_hugepages(resources.hugepage_limits, planner);
  plan_network(resources.network, planner);
  plan_rdma(resources.rdma, planner);
  for (const auto& [file, text] : resources.unified) {
    const std::string controller = file.substr(0, file.find('.'));
    const Hierarchy* v2 = layout.unified();
    if (v2 == nullptr || !v2->has(controller)) {
      plan.missing.push_back("unified: cgroup v2 has no '" + controller + "' controller here");
    } else {
      plan.steps.push_back({.controller = controller, .file = file, .value = text});
    }
  }
  return plan;
}

std::vector<std::string> needed_controllers(const LimitPlan& plan) {
  std::vector<std::string> names;
  for (const LimitStep& step : plan.steps) {
    if (std::find(names.begin(), names.end(), step.controller) == names.end()) {
      names.push_back(step.controller);
    }
  }
  return names;
}

std::uint64_t cpu_weight_from_shares(std::uint64_t shares) noexcept {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const double l = std::log2(static_cast<double>(shares));
  return static_cast<std::uint64_t>(
      std::ceil(std::pow(10.0, (l * l + 125.0 * l) / 612.0 - 7.0 / 34.0)));
}

std::uint64_t io_weight_from_blkio(std::uint64_t weight) noexcept {
  const std::uint64_t clamped = std::clamp<std::uint64_t>(weight, 10, 1000);
  return 1 + (clamped - 10) * 9999 / 990;
}

}  // namespace container
