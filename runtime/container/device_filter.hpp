// Device rules of a container (runtime-spec, "Allowed Device list"): as the lines of the v1 device
// controller and as the BPF program of cgroup v2 (BPF_PROG_TYPE_CGROUP_DEVICE).
#pragma once

#include <linux/bpf.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/container/spec.hpp"
#include "runtime/os/fd.hpp"

namespace container {

/// One write to the v1 controller.
struct DeviceLine {
  bool allow = false;  ///< devices.allow, else devices.deny
  std::string text;    ///< "c 1:3 rwm"
};
/// First the line that denies all, then each rule in order.
std::vector<DeviceLine> device_lines(const std::vector<DeviceRule>& rules);

/// The program: the last rule that matches decides, nothing matching is denied.
std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules);

/// A loaded program.
os::UniqueFd load_device_program(const std::vector<bpf_insn>& program);
/// Attaches it to a cgroup v2 directory (BPF_F_ALLOW_MULTI), in place of `previous` when given.
void attach_device_program(int cgroup_directory, int program, std::optional<int> previous = {});

/// "c 1:3 rwm" as in device_cgroup_rules: ^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$ ; nothing when
/// malformed.
std::optional<DeviceRule> parse_device_rule(std::string_view text);

}  // namespace container
