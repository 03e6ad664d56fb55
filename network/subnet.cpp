#include "network/subnet.hpp"

#include <algorithm>
#include <charconv>

namespace network {

Subnet::Subnet(const IpAddress& address, int prefix)
    : base_(address.masked(prefix)), prefix_(prefix) {}

std::optional<Subnet> Subnet::parse(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::optional<IpAddress> address = IpAddress::parse(text.substr(0, slash));
  int prefix = -1;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, prefix);
  if (!address || error != std::errc{} || stop != end) return std::nullopt;
  if (prefix < 0 || prefix > address->bits()) return std::nullopt;
  return Subnet(*address, prefix);
}

std::string Subnet::to_string() const { return base_.to_string() + "/" + std::to_string(prefix_); }

bool Subnet::contains(const IpAddress& address) const noexcept {
  return address.family() == family() && address.masked(prefix_) == base_;
}

bool Subnet::contains(const Subnet& other) const noexcept {
  return other.prefix_ >= prefix_ && contains(other.base_);
}

bool Subnet::overlaps(const Subnet& other) const noexcept {
  return contains(other) || other.contains(*this);
}

bool Subnet::overlaps_any(const std::vector<Subnet>& others) const noexcept {
  return std::any_of(others.begin(), others.end(),
                     [this](const Subnet& other) { return overlaps(other); });
}

std::optional<Subnet> Subnet::child(int prefix, std::uint64_t index) const noexcept {
  const int extra = prefix - prefix_;
  if (extra < 0 || prefix > base_.bits()) return std::nullopt;
  if (extra < 64 && index >= (std::uint64_t{1} << extra)) return std::nullopt;
  const int shift = base_.bits() - prefix;
  if (shift < 64) {
    if (shift > 0 && (index >> (64 - shift)) != 0) return std::nullopt;
    return Subnet(base_.plus(index << shift), prefix);
  }
  IpAddress address = base_;
  std::array<std::uint8_t, 16> bytes{};
  std::copy_n(address.data(), address.size(), bytes.begin());
  // Only IPv6 comes here: the index is added to the upper half.
  std::uint64_t upper = 0;
  for (std::size_t i = 0; i < 8; ++i) upper = upper << 8 | bytes[i];
  upper += index << (shift - 64);
  for (std::size_t i = 8; i-- > 0; upper >>= 8) bytes[i] = static_cast<std::uint8_t>(upper & 0xff);
  return Subnet(IpAddress::from_bytes(family(), bytes.data()), prefix);
}

}  // namespace network
