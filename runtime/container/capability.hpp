// Capabilities (capabilities(7)): names and numbers, the algebra of cap_add and cap_drop, and the
// system calls that give a process its sets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/container/spec.hpp"

namespace container {

/// Bit N stands for capability number N.
using CapabilityMask = std::uint64_t;

/// Docker's default set: 0xa80425fb.
CapabilityMask default_capabilities() noexcept;
/// Every capability of the running kernel (/proc/sys/kernel/cap_last_cap).
CapabilityMask all_capabilities();
/// Those that the calling process may give: its permitted set. In a container or a locked-down host
/// that is fewer than all, and ALL means these.
CapabilityMask own_capabilities();

/// The number of "CAP_CHOWN", "chown", …; nothing for an unknown name.
std::optional<unsigned> capability_number(std::string_view name) noexcept;
/// "CAP_CHOWN" …; "CAP_N" for a number without a name.
std::string capability_name(unsigned number);

/// Throws os::Error that lists every name unknown to us or to this kernel.
CapabilityMask capability_mask(const std::vector<std::string>& names);
/// "CAP_…" names by ascending number.
std::vector<std::string> capability_names(CapabilityMask mask);

/// Docker's algebra: add ALL → all without the drops; drop ALL → just the adds; otherwise the
/// default without the drops, then the adds. Throws like capability_mask().
CapabilityMask resolve_capabilities(const std::vector<std::string>& add,
                                    const std::vector<std::string>& drop);

/// The five sets as masks.
struct CapabilityMasks {
  CapabilityMask bounding = 0;
  CapabilityMask effective = 0;
  CapabilityMask inheritable = 0;
  CapabilityMask permitted = 0;
  CapabilityMask ambient = 0;
};
CapabilityMasks capability_masks(const Capabilities& capabilities);

/// Drops from the bounding set of the calling thread all that `keep` lacks (PR_CAPBSET_DROP).
void drop_bounding_capabilities(CapabilityMask keep);
/// capset(2) on the calling thread: effective, permitted and inheritable.
void set_capabilities(const CapabilityMasks& masks);
/// Clears the ambient set and raises `mask` (PR_CAP_AMBIENT); needs them permitted and inheritable.
void set_ambient_capabilities(CapabilityMask mask);

}  // namespace container
