// Names of network devices: at most 15 bytes (IFNAMSIZ), made from longer ones by a hash. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace network {

/// 64-bit FNV-1a, the same on every machine and in every version. Not for secrets.
std::uint64_t stable_hash(std::string_view text) noexcept;

/// `prefix` and 12 hexadecimal digits of the hash of `name`: the same name, the same device.
std::string device_name(std::string_view prefix, std::string_view name);

/// Whether Linux and the firewall's language both take it: 1 to 15 of letters, digits, '_', '-'
/// and '.', not "." or "..".
bool is_valid_device_name(std::string_view name) noexcept;

}  // namespace network
