// From resources to the files of the controllers that hold them. Pure: what is to be written is a
// list that can be printed; Cgroup::set_limits() writes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/container/cgroup_layout.hpp"
#include "runtime/container/spec.hpp"

namespace container {

/// One write.
struct LimitStep {
  std::string controller;
  std::string file;
  std::string value;
  /// The kernel may want the next step before this one (EINVAL, EBUSY): limits that bound each
  /// other.
  bool may_follow_next = false;
  /// A file that is missing means what `value` says anyway (no swap accounting and no swap limit).
  bool may_be_missing = false;
  /// Another file of the same controller to use when `file` is missing.
  std::string alternative_file;
  std::string alternative_value;
};

struct LimitPlan {
  std::vector<LimitStep> steps;
  std::vector<std::string> warnings;  ///< wishes without meaning on this cgroup version
  std::vector<std::string> missing;   ///< "memory.limit: this machine has no 'memory' controller"
};

LimitPlan plan_limits(const Resources& resources, const CgroupLayout& layout);

/// Controllers that the steps write to, each once.
std::vector<std::string> needed_controllers(const LimitPlan& plan);

/// cpu.shares (2 … 262144) → cpu.weight (1 … 10000) such that 1024 gives 100.
std::uint64_t cpu_weight_from_shares(std::uint64_t shares) noexcept;
/// blkio weight (10 … 1000) → io.weight (1 … 10000).
std::uint64_t io_weight_from_blkio(std::uint64_t weight) noexcept;

}  // namespace container
