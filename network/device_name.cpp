#include "network/device_name.hpp"

#include <algorithm>

namespace network {

std::uint64_t stable_hash(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

std::string device_name(std::string_view prefix, std::string_view name) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::uint64_t hash = stable_hash(name);
  // Fold the upper bits in: only 48 of the 64 are shown.
  hash ^= hash >> 48;
  std::string result(prefix);
  for (int i = 0; i < 12; ++i, hash >>= 4) result += digits[hash & 0xf];
  return result;
}

bool is_valid_device_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > 15 || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

}  // namespace network
