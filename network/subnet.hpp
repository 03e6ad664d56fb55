// A range of addresses with a common prefix. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "network/ip_address.hpp"

namespace network {

class Subnet {
 public:
  Subnet() = default;
  /// Host bits of `address` are cleared; `prefix` must fit the family.
  Subnet(const IpAddress& address, int prefix);
  /// "172.18.0.0/16"; nothing when it is not that. Host bits may be set, they are cleared.
  static std::optional<Subnet> parse(const std::string& text);

  const IpAddress& base() const noexcept { return base_; }
  int prefix() const noexcept { return prefix_; }
  int family() const noexcept { return base_.family(); }
  bool is_v4() const noexcept { return base_.is_v4(); }
  /// The last address; for IPv4 the broadcast address.
  IpAddress last() const noexcept { return base_.masked(prefix_, true); }
  std::string to_string() const;

  bool contains(const IpAddress& address) const noexcept;
  bool contains(const Subnet& other) const noexcept;
  /// Whether an address is in both; never across families.
  bool overlaps(const Subnet& other) const noexcept;
  bool overlaps_any(const std::vector<Subnet>& others) const noexcept;

  /// The `index`-th subnet of length `prefix` inside this one; nothing past the last.
  std::optional<Subnet> child(int prefix, std::uint64_t index) const noexcept;

  bool operator==(const Subnet&) const = default;

 private:
  IpAddress base_;
  int prefix_ = 0;
};

}  // namespace network
