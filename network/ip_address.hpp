// IPv4 and IPv6 addresses as values: text, bytes, arithmetic. Pure.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace network {

/// An address of either family, in network byte order; IPv4 uses the first four bytes.
class IpAddress {
 public:
  IpAddress() = default;
  /// Nothing when `text` is not an address; no zone ("%eth0"), no prefix length.
  static std::optional<IpAddress> parse(const std::string& text);
  /// `bytes` has 4 or 16 of them, as the family (AF_INET, AF_INET6) says.
  static IpAddress from_bytes(int family, const void* bytes);

  int family() const noexcept { return family_; }
  bool is_v4() const noexcept;
  /// 4 or 16.
  std::size_t size() const noexcept { return is_v4() ? 4 : 16; }
  int bits() const noexcept { return is_v4() ? 32 : 128; }
  const std::uint8_t* data() const noexcept { return bytes_.data(); }

  std::string to_string() const;
  /// "ADDRESS:PORT", IPv6 in brackets.
  std::string with_port(std::uint16_t port) const;

  bool is_loopback() const noexcept;
  bool is_unspecified() const noexcept;
  bool is_link_local() const noexcept;

  /// The address `offset` further, wrapping at the end of the family's space.
  IpAddress plus(std::uint64_t offset) const noexcept;
  /// The address with all bits past the first `prefix` cleared or, if `ones`, set.
  IpAddress masked(int prefix, bool ones = false) const noexcept;

  auto operator<=>(const IpAddress&) const = default;

 private:
  int family_ = 0;
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace network
